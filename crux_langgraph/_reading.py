"""Reading one place of a payload in full: what its text left out, and never what is private."""

from typing import Any, cast

from pydantic import BaseModel
from pydantic_core import to_json

from crux_langgraph._contract import Contract, without
from crux_langgraph._places import found_at
from crux_langgraph.errors import ReadError

_MOST_NAMED = 20
_NOTHING = object()


def text_at(handoff: str, contract: Contract[Any], data: BaseModel, path: str) -> str:
    """Give what stands at `path` of valid data: a text as it is, anything else as indented JSON. Raises `ReadError`."""
    marked, mark = contract.marked_private(data)
    found = next(found_at(path, marked, mark), _NOTHING)
    if found is _NOTHING:
        raise ReadError(
            handoff=handoff,
            found=f"nothing stands at {path!r}",
            fix=f"Take a path from payload.receipt.omitted, or a field: {_fields(contract)}.",
            reason="unknown",
        )
    if _is_all(found, mark):
        raise ReadError(
            handoff=handoff,
            found=f"what stands at {path!r} is private",
            fix="Programs read it from payload.data; no agent is given it.",
            reason="private",
        )
    shown = without(found, mark)
    return shown if isinstance(shown, str) else to_json(shown, indent=2).decode()


def part_of(handoff: str, text: str, offset: int, limit: int | None) -> str:
    """Give `limit` characters of a text from `offset` on, all of them for None. Raises `ReadError` below 0."""
    for name, given in (("offset", offset), ("limit", limit)):
        if given is not None and given < 0:
            raise ReadError(
                handoff=handoff,
                found=f"{name} is {given}",
                fix=f"Give {name}= a number of characters, 0 or more.",
                reason="range",
            )
    return text[offset:] if limit is None else text[offset : offset + limit]


def _is_all(found: object, mark: str) -> bool:
    items = cast("list[object]", found) if isinstance(found, list) else [found]
    return bool(items) and all(item == mark for item in items)


def _fields(contract: Contract[Any]) -> str:
    names = [name for name in contract.model.model_fields if name not in contract.private and name != "root"]
    return ", ".join(names[:_MOST_NAMED]) or "the empty path is all of it"
