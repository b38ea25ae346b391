"""Data as an outline that reads like a note: a line for each value, long texts as they are, nesting as indentation."""

from collections.abc import Iterator
from typing import Any, cast

_STEP = "  "


def outline(value: Any) -> str:
    """Write plain data as text. It is for reading: two values of different types may look alike."""
    return "\n".join(_lines(value))


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, item in cast("dict[str, Any]", value).items():
            yield from _entry(f"{key}:", item)
    elif isinstance(value, list) and value:
        for item in cast("list[Any]", value):
            yield from _entry("-", item)
    else:
        yield from _scalar(value).split("\n")


def _entry(head: str, item: Any) -> Iterator[str]:
    lines = list(_lines(item))
    if len(lines) == 1 and not (isinstance(item, dict | list) and item):
        yield f"{head} {lines[0]}"
    elif head == "-":
        yield f"- {lines[0]}"
        yield from (_STEP + line for line in lines[1:])
    else:
        yield head
        yield from (_STEP + line for line in lines)


def _scalar(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return str(cast("object", value)) if value != "" else '""'
