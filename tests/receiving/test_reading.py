"""Reading in full what a context left out: by path, page by page, and never what is private."""

from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, RootModel

from crux_langgraph import Handoff, Omit, Payload, Private, errors

SECRET = "sk-secret"


class Page(BaseModel):
    url: str
    body: str | None = None
    token: Annotated[str, Private()] = SECRET


class Found(BaseModel):
    question: str
    pages: list[Page] = []
    raw: Annotated[str, Omit()] = ""
    by_name: dict[str, Any] = {}
    key: Annotated[str, Private()] = SECRET
    keys: list[Annotated[str, Private()]] = [SECRET]
    login: Annotated[Page | None, Private()] = Page(url=SECRET)


def found(**given: Any) -> Payload[Any]:
    return Handoff.of(Found, id="x", max_tokens=200).prepare({"question": "Why?", **given})


PAGES = [{"url": "a.example", "body": "first"}, {"url": "b.example"}]


@pytest.mark.parametrize(
    "path, text",
    [
        ("question", "Why?"),
        ("pages[0].body", "first"),
        ("pages[].url", '[\n  "a.example",\n  "b.example"\n]'),
        ("pages[1]", '{\n  "url": "b.example",\n  "body": null\n}'),
        ("pages[1].body", "null"),
        ("by_name.a.b", "dotted"),
        ("by_name.a.c", "deeper"),
        ("by_name.list[0][1]", "2"),
        ("by_name.empty[]", "[]"),
        ("by_name.x[0].y", "bracketed"),
    ],
)
def test_a_path_leads_to_a_text_as_it_is_or_to_anything_else_as_json(path: str, text: str) -> None:
    by_name = {
        "a.b": "dotted",
        "a": {"b": "other", "c": "deeper"},
        "list": [[1, 2]],
        "empty": [],
        "x[0].y": "bracketed",
    }
    assert found(pages=PAGES, by_name=by_name).read(path) == text


def test_the_empty_path_is_all_that_is_not_private() -> None:
    everything = found(pages=PAGES).read()
    assert '"question": "Why?"' in everything
    assert "a.example" in everything
    assert SECRET not in everything


@pytest.mark.parametrize(
    "path",
    ["key", "keys", "keys[0]", "keys[]", "login", "login.url", "login.no.such", "pages[0].token", "pages[].token"],
)
def test_what_is_private_is_refused_and_not_told(path: str) -> None:
    with pytest.raises(errors.ReadError, match="is private") as caught:
        found(pages=PAGES).read(path)
    assert (caught.value.reason, caught.value.handoff, caught.value.layer) == ("private", "x", "read")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "path",
    ["no", "question.no", "pages[2]", "pages[9999999999]", "pages.url", "pages[].no", "[0]", "questions", "quest"],
)
def test_a_path_that_leads_nowhere_is_refused_with_what_can_be_read(path: str) -> None:
    with pytest.raises(errors.ReadError, match="nothing stands at") as caught:
        found(pages=PAGES).read(path)
    assert caught.value.reason == "unknown"
    assert "a field: question, pages, raw, by_name." in str(caught.value)


@pytest.mark.parametrize("options", [{"offset": -1}, {"limit": -1}])
def test_a_page_before_the_beginning_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(errors.ReadError, match="is -1"):
        found().read("question", **options)


@settings(max_examples=40, deadline=None)
@given(st.text(), st.integers(0, 40), st.integers(1, 7))
def test_pages_put_together_are_the_text(raw: str, offset: int, limit: int) -> None:
    payload = found(raw=raw.encode("utf-8", "replace").decode())
    text = payload.data.raw
    assert payload.read("raw", offset=offset, limit=limit) == text[offset : offset + limit]
    assert "".join(payload.read("raw", offset=at, limit=limit) for at in range(0, len(text), limit)) == text


def test_everything_that_was_left_out_can_be_read() -> None:
    pages = [{"url": f"{n}.example", "body": f"Page {n} says {n}. " * 30} for n in range(30)]
    payload = found(pages=pages, raw="<p>" * 300, by_name={"a": {"b": ["c " * 400] * 9}})
    assert {"pages", "raw", "by_name.a.b"} <= {path.partition("[")[0] for path in payload.receipt.omitted}
    for path in payload.receipt.omitted:
        assert payload.read(path) not in ("", "[]", "{}")


def test_a_payload_without_fields_is_read_by_the_empty_path() -> None:
    payload = Handoff.of(RootModel[str], id="x").prepare('"all of it"')
    assert payload.read() == "all of it"
    with pytest.raises(errors.ReadError, match="the empty path is all of it"):
        payload.read("no")
