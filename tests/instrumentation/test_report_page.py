"""What the page of a `TraceReport` says: every text of a run is text on it, whatever it holds, and its size is limited."""

import re
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.graph import START, StateGraph
from support import BAD, GOOD, State, make, two_agents

from crux_langgraph import errors
from crux_langgraph.instrumentation import TraceReport, recorded
from crux_langgraph.instrumentation._page._document import MOST_BYTES
from crux_langgraph.instrumentation._page._outline import outline
from crux_langgraph.instrumentation._report import MOST_RUNS

VOID = {"meta", "link"}
LONG = {"question": "Why?", "findings": [f"Finding {number} of many, in some words" for number in range(200)]}
HOSTILE = "</pre><script>alert(1)</script><img src=x onerror=alert(1)>\"' \x00\x1b[31m\u202e\ud800 &amp;"


class Page(HTMLParser):
    """Reads a page: its elements with their attributes, its text, and whether every element is closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.unclosed: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))
        self.unclosed += [] if tag in VOID else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.unclosed.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def ids(self) -> set[str]:
        return {str(given["id"]) for _, given in self.elements if "id" in given}


def page_of(found: Any = GOOD, **options: Any) -> Page:
    report = TraceReport()
    two_agents(make(**options), found=found).compile().invoke({}, {"callbacks": [report]})
    return Page(report.html())


def drawn(value: Any, name: str = "n") -> str:
    builder: Any = StateGraph(State)
    builder.add_node(name, lambda _: {"seen": value})
    builder.add_edge(START, name)
    report = TraceReport()
    builder.compile().invoke({}, {"callbacks": [report], "run_name": name})
    return report.html()


def test_what_was_given_and_what_crossed_stand_side_by_side() -> None:
    text = page_of().text
    assert "before: what the handoff was given" in text
    assert "question: Why?\nfindings:\n  - one\n  - two" in text
    assert "after: the payload that crossed" in text
    assert "task: Why?\nfacts:\n  - one\n  - two" in text


def test_a_handoff_shows_its_agents_its_tokens_as_bars_and_what_was_left_out() -> None:
    page = page_of(LONG, max_tokens=300)
    [card] = [given for _, given in page.elements if given.get("class") == "card"]
    assert "a → b" in page.text
    before, after = map(int, re.findall(r"tokens (?:before|after)([\d,]+)", page.text.replace(",", "")))
    assert before > 5 * after > 0
    assert after <= 300
    bars = [given["style"] for _, given in page.elements if "background:#" in str(given.get("style"))]
    assert len(bars) >= 2
    assert "extract; not in full: facts" in page.text
    assert "what became of each field" in page.text
    assert "pieces fit" in page.text
    assert card


def test_what_a_model_wrote_stands_beside() -> None:
    from support import ScriptedModel

    from crux_langgraph import Summarize

    prose = "The northern road was closed after a landslide, and every crate had to wait. " * 60
    model = ScriptedModel(replies=["The road is closed."])
    contract = make(max_tokens=300, summarize=Summarize(model))
    page = page_of()
    report = TraceReport()
    two_agents(contract, found={"question": "Why?", "findings": [prose]}).compile().invoke({}, {"callbacks": [report]})
    assert "written shorter by a model" not in page.text
    text = Page(report.html()).text
    assert "written shorter by a modelThe road is closed." in text
    assert "ScriptedModel" in text


def test_a_payload_that_is_not_counted_is_shown_in_bytes() -> None:
    text = page_of({"question": "Why?", "findings": ["x" * 400_000]}).text
    assert "bytes before" in text
    assert "400,000 characters" in text


def test_an_error_is_said_at_the_top_where_it_began_and_unfolded_there() -> None:
    report = TraceReport()
    with pytest.raises(errors.InputError):
        two_agents(make(), found=BAD).compile().invoke({}, {"callbacks": [report]})
    page = Page(report.html())
    unfolded = [str(given["id"]) for tag, given in page.elements if tag == "details" and "open" in given]
    assert len(unfolded) == 1
    assert {given["href"] for tag, given in page.elements if tag == "a"} == {f"#{unfolded[0]}"}
    assert page.text.count("What went wrong") == 1
    assert "findings: expected a valid list, found str" in page.text.partition("Handoffs")[0]
    assert "3 failed" in page.text


def test_of_many_failures_the_first_are_listed_and_the_others_counted() -> None:
    report = TraceReport()
    for _ in range(30):
        with pytest.raises(errors.InputError):
            two_agents(make(), found=BAD).compile().invoke({}, {"callbacks": [report]})
    text = Page(report.html()).text
    assert "and 6 more, marked below" in text
    assert "6 more" in text.partition("Handoffs")[2]


def test_a_foreign_error_is_shown_with_its_whole_traceback_folded() -> None:
    def fail(_: Any) -> Any:
        message = "the <b>reason</b>"
        raise LookupError(message)

    builder: Any = StateGraph(State)
    builder.add_node("n", fail)
    builder.add_edge(START, "n")
    report = TraceReport()
    with pytest.raises(LookupError):
        builder.compile().invoke({}, {"callbacks": [report]})
    text = Page(report.html()).text
    assert "LookupError: the <b>reason</b>" in text
    assert "the whole error" in text
    assert "Traceback (most recent call last)" in text


def test_links_lead_to_runs_of_the_page() -> None:
    page = page_of()
    links = {str(given["href"])[1:] for tag, given in page.elements if tag == "a"}
    assert links
    assert links <= page.ids()


def test_a_hostile_text_stays_text() -> None:
    page = Page(drawn(HOSTILE, name="<b onclick=x>'\""))
    assert {"script", "img", "b"}.isdisjoint(tag for tag, _ in page.elements)
    assert not any(key.startswith("on") for _, given in page.elements for key in given)
    assert "<script>alert(1)</script>" in page.text
    assert page.unclosed == []


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@settings(max_examples=60, deadline=None)
@given(VALUES, st.text())
def test_any_data_makes_a_sound_page_with_nothing_active(value: Any, name: str) -> None:
    report = TraceReport()
    run = report.on_chain_start({}, {"input": value}, run_id=_id(), name=name)
    report.on_chain_end({"output": value}, run_id=run.id)
    page = Page(report.html())
    assert page.unclosed == []
    assert {"script", "img", "iframe", "object", "base", "form"}.isdisjoint(tag for tag, _ in page.elements)
    assert {given.get("href", "")[:1] for tag, given in page.elements if tag == "a"} <= {"#"}


def _id() -> Any:
    return uuid4()


@given(VALUES)
def test_an_outline_has_every_scalar_and_is_as_deep_as_the_data(value: Any) -> None:
    lines = outline(value)
    assert isinstance(lines, str)
    for scalar in scalars(value):
        assert all(line in lines for line in str(scalar).split("\n"))


def scalars(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if inner is None:
        return [value] if isinstance(value, str | int | float) and not isinstance(value, bool) else []
    return [scalar for item in inner for scalar in scalars(item)]


def test_an_outline_reads_like_a_note() -> None:
    value = {
        "a": "one",
        "b": ["x", {"k": True, "none": None}],
        "text": "two\nlines",
        "empty": [],
        "blank": "",
        "n": [[1]],
    }
    assert outline(value).split("\n") == [
        "a: one",
        "b:",
        "  - x",
        "  - k: yes",
        "    none: none",
        "text:",
        "  two",
        "  lines",
        "empty: []",
        'blank: ""',
        "n:",
        "  - - 1",
    ]


def test_the_page_asks_nothing_of_any_network_and_forbids_it() -> None:
    page = page_of()
    [policy] = [
        given["content"] for tag, given in page.elements if given.get("http-equiv") == "Content-Security-Policy"
    ]
    assert str(policy).startswith("default-src 'none'; style-src 'unsafe-inline'")
    sources = [value for _, given in page.elements for key, value in given.items() if key in ("src", "href", "action")]
    assert all(str(source).startswith(("#", "data:,")) for source in sources)


def test_a_page_that_would_be_too_large_says_what_it_leaves_out_and_keeps_handoffs() -> None:
    report = TraceReport(view_bytes=400_000)
    for _ in range(12):
        run = report.on_chain_start({}, {"input": "x" * 399_000}, run_id=_id(), name="n")
        report.on_chain_end({}, run_id=run.id)
    with recorded(view_bytes=400_000):
        two_agents(make(), found={"question": "Why?", "findings": ["y" * 90_000]}).compile().invoke(
            {}, {"callbacks": [report]}
        )
    html = report.html()
    assert len(html.encode()) < MOST_BYTES + 200_000
    left_out = int(re.search(r"Of (\d+) runs only the line is shown", html)[1])
    assert left_out == html.count("Not shown: the page is full.") > 0
    assert "after: the payload that crossed" in html


def test_the_page_says_how_much_it_shows_of_a_value() -> None:
    assert "shown in at most 32,768 bytes" in page_of().text


def test_runs_that_are_nested_very_deeply_are_drawn() -> None:
    report = TraceReport()
    ids = [_id() for _ in range(150)]
    for number, run_id in enumerate(ids):
        report.on_chain_start(
            {}, {"input": number}, run_id=run_id, parent_run_id=ids[number - 1] if number else None, name=f"n{number}"
        )
    for run_id in reversed(ids):
        report.on_chain_end({}, run_id=run_id)
    page = Page(report.html())
    assert page.unclosed == []
    assert "n149" in page.text


def test_each_trace_has_a_timeline_of_its_own() -> None:
    report = TraceReport()
    for _ in range(3):
        make().prepare(GOOD)
        two_agents(make()).compile().invoke({}, {"callbacks": [report]})
    assert report.html().count('class="timeline"') == 3


def test_the_bars_of_a_timeline_stand_inside_of_it() -> None:
    html = drawn({"x": 1})
    places = re.findall(r"left:([\d.]+)%;width:([\d.]+)%", html)
    assert len(places) == 2
    assert all(float(left) + float(width) <= 100.001 for left, width in places)
    assert places[0] == ("0.000", "100.000")


def test_a_part_that_a_cap_spoilt_is_passed_over() -> None:
    report = TraceReport()
    part = {"path": "facts", "tokens_before": 90, "tokens_after": 9, "tier": "extract", "reason": "1 of 10 pieces fit"}
    facts = {"crux_handoff_id": "a-to-b"}
    run = report.on_chain_start({}, {}, run_id=_id(), name="handoff:prepare", metadata=facts)
    report.on_chain_end({"parts": [part, {"…": "39 more, of 40 items"}], "payload": {}}, run_id=run.id)
    text = Page(report.html()).text
    assert "1 of 10 pieces fit" in text
    assert "not in full: facts" in text


def test_of_a_trace_with_too_many_runs_the_first_are_drawn_and_the_others_counted() -> None:
    report = TraceReport()
    root = report.on_chain_start({}, {}, run_id=_id(), name="root")
    for number in range(MOST_RUNS + 9):
        run = report.on_chain_start({}, {}, run_id=_id(), parent_run_id=root.id, name=f"n{number}")
        report.on_chain_end({}, run_id=run.id)
    report.on_chain_end({}, run_id=root.id)
    page = Page(report.html())
    assert page.unclosed == []
    assert len([tag for tag, given in page.elements if "id" in given]) == MOST_RUNS
    assert "10 more runs are not shown." in page.text
    assert f"{MOST_RUNS + 10:,} runs" in page.text
