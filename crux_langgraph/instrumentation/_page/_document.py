"""The whole page: what ran and what went wrong, the handoffs, and each trace on its timeline, within a number of bytes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from crux_langgraph.instrumentation._captured import CapturedRun
from crux_langgraph.instrumentation._page._crossing import card
from crux_langgraph.instrumentation._page._markup import Markup, element, together
from crux_langgraph.instrumentation._page._row import body, is_origin, row
from crux_langgraph.instrumentation._page._style import STYLE
from crux_langgraph.instrumentation._page._timing import Timeline
from crux_langgraph.instrumentation._report import MOST_RUNS
from crux_langgraph.instrumentation._telling import is_crossing

MOST_BYTES = 4_000_000
"""Bytes of what the runs unfold to. Handoffs and failures come first, then the others in their order."""

_FIRST_CARDS = 24
_DEEPEST = 60
_FULL = element("div", "Not shown: the page is full.", class_="body faint")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


class _Line(NamedTuple):
    """One run as it stands on the page."""

    number: int
    depth: int
    run: CapturedRun

    @property
    def anchor(self) -> str:
        return f"run-{self.number}"


def page(roots: Sequence[CapturedRun], *, masked: Sequence[str], view_bytes: int) -> str:
    """Give the runs as one HTML document; `masked` and `view_bytes` are what it says of how they were recorded."""
    traces = _numbered(roots)
    lines = [line for trace in traces for line in trace]
    bodies = _bodies(lines[:MOST_RUNS])
    title = f"Runs of {roots[0].name if roots else 'nothing yet'}"
    title += f" and {len(roots) - 1:,} more" if len(roots) > 1 else ""
    full = sum(shown is _FULL for shown in bodies.values())
    content = together(
        element("header", element("h1", title), element("p", _facts(lines)), *_notes(masked, view_bytes, full)),
        _problems(lines),
        _handoffs(lines),
        element("h2", "Runs"),
        *(_timeline(trace, bodies) for trace in traces if trace[0].number < MOST_RUNS),
        _cut(len(lines)),
    )
    return str(_document(title, content)).encode("utf-8", "replace").decode()


def _document(title: str, content: Markup) -> Markup:
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><meta name="robots" content="noindex">'
        f'<link rel="icon" href="data:,">{element("title", title)}<style>{STYLE}</style>'
    )
    return Markup(
        f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>{element("main", content)}</body></html>\n'
    )


def _numbered(roots: Sequence[CapturedRun]) -> list[list[_Line]]:
    traces: list[list[_Line]] = []
    count = 0
    for root in roots:
        traces.append([_Line(number, *found) for number, found in enumerate(root.walk(), start=count)])
        count += len(traces[-1])
    return traces


def _bodies(lines: Sequence[_Line]) -> dict[int, Markup]:
    shown: dict[int, Markup] = {}
    left = MOST_BYTES
    for line in sorted(lines, key=lambda line: not (is_crossing(line.run) or line.run.error)):
        made = body(line.run)
        size = len(made.encode("utf-8", "replace"))
        shown[line.number] = made if size <= left else _FULL
        left -= size if size <= left else 0
    return shown


def _facts(lines: Sequence[_Line]) -> str:
    runs = [line.run for line in lines]
    counts = {
        "run": len(runs),
        "handoff": sum(map(is_crossing, runs)),
        "failed": sum(run.status == "failed" for run in runs),
        "interrupted": sum(run.status == "interrupted" for run in runs),
        "still running": sum(run.is_open for run in runs),
        "token of models": sum(run.own_tokens for run in runs),
    }
    told = [f"{count:,} {_many(name) if count > 1 else name}" for name, count in counts.items() if count]
    began = [f"began {runs[0].run.start_time:%Y-%m-%d %H:%M:%S} UTC"] if runs else []
    return " · ".join([*told, *began])


def _many(name: str) -> str:
    noun, *rest = name.split(" ")
    return " ".join([f"{noun}s", *rest]) if noun in ("run", "handoff", "token") else name


def _notes(masked: Sequence[str], view_bytes: int, full: int) -> Iterator[Markup]:
    said = (
        f"Everywhere masked: what stands under {', '.join(masked)}; other text is as it was recorded."
        if masked
        else "Runs of crux_langgraph mask private fields; runs of the graph and its nodes show the state as LangGraph keeps it."
    )
    cut = (
        f" Each input and output is shown in at most {view_bytes:,} bytes: of what is longer, heads, tails and counts."
    )
    yield element("p", said + cut, class_="faint")
    if full:
        yield element("p", f"Of {full:,} runs only the line is shown, since the page is full.", class_="faint")


def _problems(lines: Sequence[_Line]) -> Markup:
    """List each failure where it began."""
    origins = [line for line in lines[:MOST_RUNS] if is_origin(line.run)]
    if not origins:
        return Markup()
    items = [
        element("li", _link(line), " ", element("span", line.run.problem or "failed", class_="what"))
        for line in origins[:_FIRST_CARDS]
    ]
    more = len(origins) - len(items)
    told = [element("li", f"and {more:,} more, marked below")] if more else []
    return together(element("h2", "What went wrong"), element("ul", *items, *told, class_="problems"))


def _link(line: _Line) -> Markup:
    return element("a", line.run.name, href=f"#{line.anchor}")


def _handoffs(lines: Sequence[_Line]) -> Markup:
    cards = [card(line.run, f"#{line.anchor}") for line in lines[:MOST_RUNS] if is_crossing(line.run)]
    if not cards:
        return Markup()
    first, rest = cards[:_FIRST_CARDS], cards[_FIRST_CARDS:]
    shown = [element("ul", *first, class_="cards")]
    if rest:
        summary = element("summary", f"{len(rest):,} more")
        shown.append(element("details", summary, element("ul", *rest, class_="cards"), class_="more"))
    return together(element("h2", "Handoffs"), *shown)


def _timeline(trace: Sequence[_Line], bodies: Mapping[int, Markup]) -> Markup:
    timeline = Timeline.of(trace[0].run)
    out: list[str] = []
    depth = -1
    for line in trace:
        if line.number not in bodies:
            break
        below = min(line.depth, _DEEPEST)
        out.append("<ul>" if below > depth else "</li>" + "</ul></li>" * (depth - below))
        out.append(f"<li>{row(line.run, timeline, bodies[line.number], line.anchor)}")
        depth = below
    out.append("</li></ul>" * (depth + 1))
    return element("div", Markup("".join(out)), class_="timeline")


def _cut(count: int) -> Markup:
    more = count - MOST_RUNS
    return element("p", f"{more:,} more runs are not shown.", class_="faint") if more > 0 else Markup()
