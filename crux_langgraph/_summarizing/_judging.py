"""What of a model's answer is used: its output is untrusted input, held against the text it was given. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage

from crux_langgraph._model_use import Reason
from crux_langgraph._summarizing._inventions import without_inventions
from crux_langgraph._summarizing._prompting import sendable
from crux_langgraph._summarizing._splitting import Shrink
from crux_langgraph.compression import Counter

_ENDINGS = ("finish_reason", "stop_reason", "stopReason", "done_reason", "status")
"""Where providers say in an answer's metadata why it ends."""
_CUT_OFF = frozenset(
    {"length", "max_tokens", "model_length", "incomplete", "content_filter", "content_filtered", "guardrail_intervened"}
)
_LAST_END = re.compile(r".*(?:[.!?。！？](?=\s|$)|\n)", re.DOTALL)  # noqa: RUF001 - full-width marks end sentences too


@dataclass(frozen=True, slots=True)
class Judged:
    """What is used of one answer; an empty text when nothing is, and then the source has to be extracted from."""

    text: str
    reasons: tuple[Reason, ...] = ()
    invented: tuple[str, ...] = ()


def judge(answer: object, source: str, quota: int, counter: Counter, shrink: Shrink) -> Judged:
    """Take from `answer` what can be used: no invented facts, at most `quota` tokens."""
    try:
        written = _written(answer)
    except Exception:  # noqa: BLE001 - a message that cannot be read says nothing
        written = ""
    if not written:
        return Judged("", ("empty",))
    text, invented = without_inventions(written, source)
    reasons: list[Reason] = ["invented"] if invented else []
    if text and counter(text) > quota:
        reasons.append("too_long")
        text = shrink(text, quota).strip()
    return Judged(text, tuple(reasons), invented)


def _written(answer: object) -> str:
    if isinstance(answer, BaseMessage):
        text = _plain(answer.text)
        return _whole_sentences(text) if _is_cut_off(answer.response_metadata) else text
    return _plain(answer) if isinstance(answer, str) else ""


def _plain(text: str) -> str:
    # No database takes NUL in a text.
    return sendable(text).replace("\0", "").strip()


def _is_cut_off(metadata: Mapping[str, Any]) -> bool:
    return any(str(metadata.get(name)).lower() in _CUT_OFF for name in _ENDINGS)


def _whole_sentences(text: str) -> str:
    # Half a sentence may say the opposite of the whole one; an answer that is only half a sentence says nothing.
    whole = _LAST_END.match(text)
    return whole[0].strip() if whole else ""
