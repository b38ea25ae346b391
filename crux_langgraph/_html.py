"""What a notebook shows of a payload and its receipt: token bars and a table, everything in it escaped. Pure."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from crux_langgraph.compression import CUT, FittedPart

_BOX = "font-family:sans-serif;font-size:13px;line-height:1.5;max-width:60em"
_TABLE = "border-collapse:collapse;font-size:12px"
_CELL = "text-align:left;vertical-align:top;padding:1px 10px 1px 0"
_NUMBER = "text-align:right;vertical-align:top;padding:1px 10px 1px 0"
_TRACK = "background:rgba(127,127,127,.25);height:9px"
_FILL = "background:{colour};width:{percent}%;height:9px"
_PRE = "white-space:pre-wrap;overflow-wrap:anywhere;max-height:24em;overflow:auto;font-size:12px"
_WHOLE, _PARTLY = "#4477aa", "#cc6677"


class Bar(NamedTuple):
    """A number of tokens beside others."""

    name: str
    tokens: int


def view(title: str, facts: Iterable[str], bars: Sequence[Bar], parts: Sequence[FittedPart], text: str | None) -> str:
    """Give a title, facts on one line, a bar for each size, what became of each part, and a text to unfold, as HTML."""
    told = " &middot; ".join(map(escape, facts))
    shown = [
        f'<div style="{_BOX}"><b>{escape(title)}</b><br>{told}',
        bars_table(bars),
        parts_table(parts),
        _folded(text),
        "</div>",
    ]
    return "\n".join(part for part in shown if part)


def bars_table(bars: Sequence[Bar]) -> str:
    """Give a row for each size with a bar beside it, as HTML."""
    most = max((bar.tokens for bar in bars), default=0)
    rows = (_row(_cell(bar.name), _number(bar.tokens), _bar(bar.tokens, most, _WHOLE)) for bar in bars)
    return _table("", rows)


def parts_table(parts: Sequence[FittedPart]) -> str:
    """Give a row for each part with what became of it, as HTML; nothing for none."""
    if not parts:
        return ""
    most = max(max(part.tokens_before, part.tokens_after) for part in parts)
    head = "".join(
        f'<th style="{_CELL}">{name}</th>' for name in ("part", "tokens", "in the context", "", "shown", "why")
    )
    return _table(f"<tr>{head}</tr>", (_part(part, most) for part in parts))


def _part(part: FittedPart, most: int) -> str:
    colour = _PARTLY if part.tier in CUT else _WHOLE
    return _row(
        _cell(part.path or "(all)"),
        _number(part.tokens_before),
        _number(part.tokens_after),
        _bar(part.tokens_after, most, colour, of=part.tokens_before),
        _cell(part.tier),
        _cell(part.reason),
    )


def _bar(tokens: int, most: int, colour: str, of: int | None = None) -> str:
    """Draw `tokens` of `most`; `of` is what it was, drawn as the track behind it."""
    track = _percent(of, most) if of is not None else 100
    fill = min(100, _percent(tokens, of)) if of else _percent(tokens, most)
    bar = f'<div style="{_FILL.format(colour=colour, percent=fill)}"></div>'
    return f'<td style="{_CELL}"><div style="width:160px"><div style="{_TRACK};width:{track}%">{bar}</div></div></td>'


def _percent(tokens: int, most: int) -> int:
    return max(1, round(100 * tokens / most)) if tokens and most else 0


def _table(head: str, rows: Iterable[str]) -> str:
    return f'<table style="{_TABLE}">{head}{"".join(rows)}</table>'


def _row(*cells: str) -> str:
    return f"<tr>{''.join(cells)}</tr>"


def _cell(text: str) -> str:
    return f'<td style="{_CELL}">{escape(text)}</td>'


def _number(tokens: int) -> str:
    return f'<td style="{_NUMBER}">{tokens:,}</td>'


def _folded(text: str | None) -> str:
    if text is None:
        return ""
    return f'<details><summary>the context</summary><pre style="{_PRE}">{escape(text)}</pre></details>'
