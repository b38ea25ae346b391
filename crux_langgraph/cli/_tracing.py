"""The runs of a demo: as a tree in the terminal, as data, or as a page."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from crux_langgraph.cli._plain import one_line
from crux_langgraph.cli._stopping import StopError
from crux_langgraph.instrumentation import TraceReport
from crux_langgraph.instrumentation._captured import CapturedRun
from crux_langgraph.instrumentation._telling import duration, is_crossing, tokens, who

_SUFFIXES = (".html", ".htm")
_STYLES = {"failed": "red", "interrupted": "yellow"}


def checked(page: Path | None, *, traced: bool) -> Path | None:
    """Give the file that the page goes to. Raises `StopError` for one that is no page, or that nobody asked for."""
    if page is None:
        return None
    if not traced:
        raise StopError(
            where=str(page), found="a file is for --trace, which writes a page; give conversations by --input"
        )
    if page.suffix.lower() not in _SUFFIXES:
        raise StopError(where=str(page), found="--trace writes an HTML page: give a name that ends with .html")
    return page


def write(report: TraceReport, page: Path) -> None:
    """Write the page. Raises `StopError` where that is not possible."""
    try:
        report.write(page)
    except OSError as error:
        raise StopError(where=str(page), found=error.strerror or type(error).__name__) from None


def show_trace(console: Console, roots: Sequence[CapturedRun], *, first: int) -> None:
    """Show the runs of the first conversation, and those after the `first` conversations, as trees with their numbers."""
    table = Table(title="The runs", box=None, title_justify="left", caption_justify="left", padding=(0, 1))
    table.add_column("", overflow="fold")
    for column in ("tokens", "took"):
        table.add_column(column, justify="right", no_wrap=True)
    for root in [roots[0], *roots[first:]]:
        for depth, run in root.walk():
            table.add_row(_named(depth, run), Text(tokens(run)), Text(duration(run)))
    table.caption = f"{first - 1} more conversations; --trace FILE.html draws all" if first > 1 else None
    console.print(table)


def as_data(roots: Sequence[CapturedRun]) -> list[dict[str, Any]]:
    """Give the runs as JSON values, each with those below it."""
    return [
        {
            "name": run.name,
            "status": run.status,
            "problem": run.problem,
            "duration_s": run.duration_s,
            "tokens": dict(_tokens(run)),
            "runs": as_data(run.children),
        }
        for run in roots
    ]


def _named(depth: int, run: CapturedRun) -> Text:
    named = f"{run.name}  {who(run)}" if is_crossing(run) else run.name
    state = "" if run.status == "done" else f"  {run.status}"
    return Text(f"{'  ' * depth}{one_line(named)}{state}", style=_STYLES.get(run.status, ""))


def _tokens(run: CapturedRun) -> Iterator[tuple[str, int]]:
    for side, key in (("before", "crux_input_tokens"), ("after", "crux_output_tokens")):
        if key in run.metadata:
            yield side, run.metadata[key]
    if run.own_tokens:
        yield "model", run.own_tokens
