"""What a notebook shows of a payload and its receipt."""

import re
from html.parser import HTMLParser
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.language_models import FakeListChatModel
from pydantic import BaseModel

from crux_langgraph import Handoff, Omit, Pin, Private, Summarize

SECRET = "sk-secret"


class Found(BaseModel):
    question: Annotated[str, Pin()]
    findings: str
    raw: Annotated[str, Omit()] = ""
    pages: dict[str, str] = {}
    key: Annotated[str, Private()] = SECRET


FOUND = {"question": "How wet?", "findings": "It rained all day in every town. " * 200, "raw": "<p>" * 50}


class Elements(HTMLParser):
    """The tags of a page, and whether each is closed in its place."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f"{data}\n"


def test_a_receipt_shows_sizes_as_bars_and_what_became_of_each_part() -> None:
    receipt = Handoff.of(Found, id="x", max_tokens=200).prepare(FOUND).receipt
    page = Elements(receipt._repr_html_())
    assert page.open == []
    assert f"context tokens\n{receipt.context_tokens:,}" in page.text
    for part in receipt.parts:
        assert f"{part.path}\n{part.tokens_before:,}\n{part.tokens_after:,}\n{part.tier}\n{part.reason}" in page.text
    widths = [int(width) for width in re.findall(r"width:(\d+)%", receipt._repr_html_())]
    assert widths[:4] == [100, 100, 100, round(100 * receipt.context_tokens / receipt.input_tokens)]
    assert max(widths) <= 100


def test_a_payload_shows_its_receipt_and_unfolds_to_its_context() -> None:
    payload = Handoff.of(Found, id="x", from_agent="a", max_tokens=200).prepare(FOUND)
    page = Elements(payload._repr_html_())
    assert page.open == []
    assert payload.context in page.text
    assert "Payload of x" in page.text
    assert f"a to any agent · {payload.id} · extract" in page.text
    assert SECRET not in page.text


class Plain(BaseModel):
    note: str


def test_what_is_whole_has_no_table_of_parts_and_no_context_to_unfold() -> None:
    page = Elements(Handoff.of(Plain, id="x").prepare({"note": "short"}).receipt._repr_html_())
    assert (page.tags.count("table"), "details" in page.tags) == (1, False)
    assert "verbatim" in page.text


def test_a_receipt_that_was_read_back_shows_what_it_knows() -> None:
    contract = Handoff.of(Found, id="x", max_tokens=200)
    page = Elements(contract.from_envelope(contract.prepare(FOUND).to_envelope()).receipt._repr_html_())
    assert "input tokens" not in page.text
    assert "context tokens" in page.text


def test_what_a_model_was_asked_is_shown() -> None:
    model = FakeListChatModel(responses=["All wet. Ref 9 is <b>dry</b>."])
    receipt = Handoff.of(Found, id="x", max_tokens=200, summarize=Summarize(model)).prepare(FOUND).receipt
    text = Elements(receipt._repr_html_()).text
    assert f"model: 1 calls, {receipt.model_tokens_read:,} tokens read" in text
    assert "degraded: invented" in text
    assert "invented and removed: Ref 9 is <b>dry</b>." in text


@settings(max_examples=25, deadline=None)
@given(st.text(), st.text(min_size=1))
@pytest.mark.parametrize("budget", [None, 200])
def test_whatever_a_payload_holds_stays_text(budget: int | None, value: str, key: str) -> None:
    hostile = "</pre></td><script>alert(1)</script>" * 30
    clean = (value + key).encode("utf-8", "replace").decode().replace("\r", "")
    pages = {f"</td><script>{clean}": hostile + clean}
    page = Elements(Handoff.of(Found, id="x", max_tokens=budget).prepare({**FOUND, "pages": pages})._repr_html_())
    assert (page.open, "script" in page.tags) == ([], False)
