"""Single values and keys as text, and text that holds JSON as the value it holds."""

import json
import re
from collections.abc import Iterable
from math import isfinite
from typing import Any

from crux_langgraph.compression._levels import CONTAINERS, level_of

_PLAIN_KEY = re.compile(r"[^\s:\"{}\[\]|,](?:[^\n\r\t:\"{}\[\]|]*[^\s:\"{}\[\]|,])?\Z")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]|^\s|\s\Z")
_WORDS = {None: "null", True: "true", False: "false"}
_DEEPEST = 100
_LITERALS = frozenset({"null", "true", "false", ""})


class Number(str):
    """A JSON number as it was written: 1.10 stays 1.10, and no digit is lost of a long one."""

    __slots__ = ()


def parsed(text: str) -> Any:
    """Give the object or list that a text holds as JSON.

    None when it is empty, repeats a key, is nested deeper than anybody means, or is anything else.
    """
    if not opens_json(text):
        return None
    try:
        value = json.loads(
            text, parse_float=Number, parse_int=Number, parse_constant=Number, object_pairs_hook=_without_repeats
        )
    except (ValueError, RecursionError):
        return None
    return value if value and not _is_deep(value) else None


def _is_deep(value: Any) -> bool:
    """Whether a value is nested deeper than it could be walked."""
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        level = [node for node in level_of(level).inside() if type(node) in CONTAINERS]
        if not level:
            return False
    return True


def opens_json(text: str) -> bool:
    """Whether a text begins as an object or a list."""
    return text[:64].lstrip()[:1] in ("{", "[")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        msg = "a key is repeated, so the object is more than a mapping"
        raise ValueError(msg)
    return record


def scalar(value: Any) -> str:
    """Write one value on one line. Strings go without quotes unless they would read as something else."""
    if isinstance(value, str):
        return value if type(value) is Number or _is_plain(value) else json.dumps(value, ensure_ascii=False)
    if type(value) is int or (type(value) is float and isfinite(value)):
        return repr(value)
    return _WORDS[value] if value is None or type(value) is bool else json.dumps(value, default=str)


def _is_plain(text: str) -> bool:
    """Whether a text can stand without quotes."""
    if text.isprintable():  # which leaves no white space but the space
        return text not in _LITERALS and text[0] != " " != text[-1]
    return _UNSAFE.search(text) is None


def cells(values: Iterable[Any]) -> str:
    """Write the values of one row of a table, parted by bars."""
    texts = list(map(scalar, values))
    row = " | ".join(texts)
    if row.count("|") < len(texts):
        return row
    return " | ".join(json.dumps(text, ensure_ascii=False) if "|" in text else text for text in texts)


def key(name: str) -> str:
    """Write a key so that it cannot be taken for more than one."""
    return name if _PLAIN_KEY.match(name) else json.dumps(name, ensure_ascii=False)


def is_empty(value: Any) -> bool:
    """Whether a value says only that nothing is there."""
    return not value and (value is None or isinstance(value, str | list | dict | tuple))
