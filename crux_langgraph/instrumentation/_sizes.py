"""How large plain data is as JSON text: about, without writing it, and exactly, where it has to be written anyway."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from pydantic_core import to_json

_SCALAR = 5
_KEY = 12
_CONTAINERS = (dict, list)  # a union in its place takes several times as long to ask
_JSON: Any = {"inf_nan_mode": "constants", "fallback": str}


class Sized(NamedTuple):
    """A view of which it is known that its JSON text is UTF-8 of at most so many bytes."""

    view: Mapping[str, Any]
    most_bytes: int


def rough_bytes(value: Any, enough: int) -> int:
    """Give about the bytes of plain data's JSON text; where that is more than `enough`, some number above it."""
    size = 0
    found: list[Any] = [value]
    for item in found:  # it grows while it is walked through
        if isinstance(item, str):
            size += len(item)
        elif isinstance(item, _CONTAINERS):
            inside = list(cast("dict[Any, Any]", item).values()) if isinstance(item, dict) else cast("list[Any]", item)
            size += len(inside) * (_SCALAR if inside is item else _KEY)
            found += inside if size <= enough else ()
        else:
            size += _SCALAR
        if size > enough:
            break
    return size


def json_text(value: Any) -> bytes | None:
    """Give the compact JSON text of plain data as UTF-8; None when it is no UTF-8 text."""
    try:
        return to_json(value, **_JSON)
    except ValueError:
        return None


def json_bytes(value: Any) -> bytes:
    """Give what `json_text` gives; of what is no UTF-8 text, as ASCII."""
    text = json_text(value)
    return json.dumps(value, separators=(",", ":"), default=str, skipkeys=True).encode() if text is None else text
