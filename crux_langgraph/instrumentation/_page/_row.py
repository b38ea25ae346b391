"""One run of the page: a line with its name, its bar on the timeline and its numbers, and what it unfolds to."""

from collections.abc import Iterator, Mapping
from typing import Any

from crux_langgraph.instrumentation._captured import CapturedRun
from crux_langgraph.instrumentation._page._crossing import crossing, side
from crux_langgraph.instrumentation._page._markup import Markup, element, together
from crux_langgraph.instrumentation._page._timing import Timeline
from crux_langgraph.instrumentation._recording import FACTS_KEY
from crux_langgraph.instrumentation._telling import duration, is_crossing, tokens, who

_MOST_NAME = 160
_PREFIX = "crux_"
_TOLD = {"parent_command": "on in the parent graph"}


def is_origin(run: CapturedRun) -> bool:
    """Say whether a run failed by itself: those above one that did only passed it on."""
    return run.status == "failed" and not any(child.status == "failed" for child in run.children)


def row(run: CapturedRun, timeline: Timeline, body: Markup, anchor: str) -> Markup:
    """Give a run as one line that unfolds to `body`; where something went wrong first, it is unfolded."""
    line = element(
        "summary",
        element("span", *_title(run), class_="title"),
        element("span", element("span", class_="bar", style=timeline.place(run)), class_="track", aria_hidden="true"),
        element("span", *_numbers(run), class_="numbers"),
    )
    kinds = [run.status, *(["ours"] if run.is_ours else [])]
    return element("details", line, body, id=anchor, class_=" ".join(kinds), open="" if is_origin(run) else None)


def body(run: CapturedRun) -> Markup:
    """Give what a run unfolds to: what went wrong, what it was given and gave side by side, and its facts."""
    sides = crossing(run) if is_crossing(run) else _sides(run)
    return element("div", _problem(run), sides, _facts(run.metadata), class_="body")


def _title(run: CapturedRun) -> Iterator[Markup]:
    yield element("span", run.name[:_MOST_NAME], class_="name")
    yield element("span", who(run)[:_MOST_NAME] if is_crossing(run) else run.kind, class_="kind")
    if run.status != "done":
        yield element("span", _TOLD.get(run.status, run.status), class_=f"state {run.status}")


def _numbers(run: CapturedRun) -> Iterator[Markup]:
    told = tokens(run)
    if told:
        yield element("span", told, class_="tokens")
    yield element("span", duration(run))


def _sides(run: CapturedRun) -> Markup:
    gave = {key: value for key, value in run.outputs.items() if key != FACTS_KEY}
    shown = [side("given", run.inputs or None), side("gave", gave or None)]
    return element("div", *shown, class_="sides") if any(shown) else element("p", "Nothing recorded.", class_="faint")


def _problem(run: CapturedRun) -> Markup:
    if run.error is None:
        return Markup()
    said = run.problem or run.error
    kind = "problem" if run.status == "failed" else None
    told = element("pre", said, class_=kind, tabindex="0")
    whole = element("pre", run.error, tabindex="0")
    return together(told, element("details", element("summary", "the whole error"), whole, class_="more"))


def _facts(metadata: Mapping[str, Any]) -> Markup:
    facts = {key[len(_PREFIX) :]: value for key, value in metadata.items() if key.startswith(_PREFIX)}
    told = [element("span", f"{key.replace('_', ' ')}: {_value(value)}") for key, value in facts.items()]
    return element("p", *told, class_="facts") if told else Markup()


def _value(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)[:_MOST_NAME]
