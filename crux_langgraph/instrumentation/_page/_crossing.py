"""What a page shows of one handoff: its sizes as bars, what came in beside what went out, and what was left out."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from crux_langgraph._html import bars_table, parts_table
from crux_langgraph.compression import CUT, FittedPart
from crux_langgraph.instrumentation._captured import CapturedRun
from crux_langgraph.instrumentation._page._markup import Markup, element, together
from crux_langgraph.instrumentation._page._outline import outline
from crux_langgraph.instrumentation._prepared import CONTEXT_KEY, PARTS_KEY
from crux_langgraph.instrumentation._telling import sizes, who

_MOST_NAMED = 12


def card(run: CapturedRun, link: str) -> Markup:
    """Give a handoff in short: who, how large before and after, and which fields are not shown in full."""
    return element(
        "li",
        element("p", element("a", who(run), href=link), " ", element("span", _id(run), class_="kind")),
        Markup(bars_table(sizes(run))),
        element("p", _in_short(run), class_="bad" if run.status == "failed" else "faint"),
        class_="card",
    )


def crossing(run: CapturedRun) -> Markup:
    """Give a handoff in full: what came in and what went out, side by side, and what became of each field."""
    given, made = run.inputs.get("input"), run.outputs.get("payload")
    summary = run.outputs.get("summary")
    shown = [
        side("before: what the handoff was given", given),
        side("after: the payload that crossed", made),
        side("what the receiver reads of it", run.outputs.get(CONTEXT_KEY)),
        side("written shorter by a model", summary),
    ]
    return together(element("div", *shown, class_="sides"), _parts(run))


def side(title: str, value: Any) -> Markup:
    """Give one of two things that stand side by side; nothing for None."""
    if value is None:
        return Markup()
    return element("div", element("h3", title), element("pre", outline(value), tabindex="0"))


def _parts(run: CapturedRun) -> Markup:
    parts = list(_read(run.outputs.get(PARTS_KEY)))
    if not parts:
        return Markup()
    table = Markup(parts_table(parts))
    heading = element("h3", "what became of each field")
    return together(heading, element("div", table, class_="wide", tabindex="0", role="region", aria_label="fields"))


def _read(parts: Any) -> Iterator[FittedPart]:
    """Read the account of the fields; what the cap on a view made of the rest is passed over."""
    for part in cast("list[Any]", parts) if isinstance(parts, list) else []:
        if isinstance(part, Mapping) and set(cast("Mapping[str, Any]", part)) == set(FittedPart._fields):
            yield FittedPart(**cast("dict[str, Any]", part))


def _in_short(run: CapturedRun) -> str:
    if run.status == "failed":
        return (run.problem or "failed").partition("\n")[0]
    facts = run.metadata
    told = [str(facts["crux_tier"])] if "crux_tier" in facts else []
    cut = [part.path or "(all)" for part in _read(run.outputs.get(PARTS_KEY)) if part.tier in CUT]
    if cut:
        more = f" and {len(cut) - _MOST_NAMED} more" if len(cut) > _MOST_NAMED else ""
        told.append(f"not in full: {', '.join(cut[:_MOST_NAMED])}{more}")
    return "; ".join(told)


def _id(run: CapturedRun) -> str:
    return str(run.metadata["crux_handoff_id"])
