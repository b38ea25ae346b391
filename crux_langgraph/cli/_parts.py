"""The table of what was kept, cut and why, with a bar for each part."""

from collections.abc import Sequence

from rich.bar import Bar
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from crux_langgraph import FittedPart
from crux_langgraph.cli._plain import one_line
from crux_langgraph.compression import CUT

_BAR = 16
_WHOLE, _PARTLY = "green", "yellow"
_MOST_ROWS = 40


def parts_table(title: str, parts: Sequence[FittedPart], *, narrow: bool) -> Table:
    """Give the table; `narrow` leaves the bars out. The largest parts are shown where there are very many."""
    table = Table(title=title, box=SIMPLE, title_justify="left", caption_justify="left")
    table.add_column("part", overflow="fold")
    for name in ("tokens", "kept"):
        table.add_column(name, justify="right", no_wrap=True)
    if not narrow:
        table.add_column("", no_wrap=True)
    table.add_column("shown", no_wrap=True)
    table.add_column("why", overflow="fold")
    for part in _largest(parts):
        table.add_row(*_row(part, narrow=narrow))
    if len(parts) > _MOST_ROWS:
        table.caption = f"the {_MOST_ROWS} largest of {len(parts):,} parts; --json has all of them"
    return table


def _largest(parts: Sequence[FittedPart]) -> list[FittedPart]:
    chosen = sorted(range(len(parts)), key=lambda at: -max(parts[at].tokens_before, parts[at].tokens_after))
    return [parts[at] for at in sorted(chosen[:_MOST_ROWS])]


def _row(part: FittedPart, *, narrow: bool) -> list[Text | Bar]:
    style = _PARTLY if part.tier in CUT else _WHOLE
    bar: list[Text | Bar] = [] if narrow else [_bar(part, style)]
    return [
        Text(one_line(part.path) or "(all)"),
        Text(f"{part.tokens_before:,}"),
        Text(f"{part.tokens_after:,}"),
        *bar,
        Text(part.tier, style=style),
        Text(part.reason),
    ]


def _bar(part: FittedPart, style: str) -> Bar:
    size = max(part.tokens_before, part.tokens_after, 1)
    return Bar(size, 0, part.tokens_after, width=_BAR, color=style)
