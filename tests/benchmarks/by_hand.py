"""The crossing that the benchmarks compare with: the same work, written by hand with pydantic and without this package."""

import secrets
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from pydantic import BaseModel


class Source(BaseModel):
    url: str
    title: str
    score: float


class Research(BaseModel):
    question: str
    findings: str
    sources: list[Source]


class Brief(BaseModel):
    question: str
    findings: str
    key_sources: list[Source]


def to_brief(research: Research) -> Brief:
    """Answer."""
    return Brief(question=research.question, findings=research.findings, key_sources=research.sources)


def handed_over(value: dict[str, Any], *, from_agent: str | None, to_agent: str | None) -> dict[str, Any]:
    """Validate in, transform, validate out (a dump and a validation: pydantic takes an instance on trust), and record."""
    started = time.perf_counter()
    research = Research.model_validate(value)
    checked = time.perf_counter()
    returned = to_brief(research)
    transformed = time.perf_counter()
    brief = Brief.model_validate(returned.model_dump())
    durations = {"input": checked - started, "transform": transformed - checked}
    durations["output"] = time.perf_counter() - transformed
    return {
        "format": 1,
        "id": f"ho-{uuid4().hex}",
        "handoff": "to-brief",
        "version": 1,
        "from_agent": from_agent,
        "to_agent": to_agent,
        "created_at": datetime.now(UTC).isoformat(timespec="microseconds"),
        "data": brief.model_dump(mode="json"),
        "summary": None,
        "fence": secrets.token_urlsafe(16),
        "receipt": {"durations_s": durations, "measured": {}},
    }
