"""Reading values of any class as data with the private fields covered, by their names: it fails closed."""

import dataclasses
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, cast
from uuid import UUID

from pydantic import BaseModel, SecretBytes, SecretStr

from crux_langgraph.fields import MASK
from crux_langgraph.instrumentation._views import capped

_PLAIN = (bool, int, float, type(None))
_TOLD = (date, time, timedelta, Decimal, UUID, PurePath, SecretStr, SecretBytes)
_ENVELOPE = frozenset({"format", "handoff", "fence", "data"})
_ELSEWHERE = "[not recorded here: handoff:prepare shows what crossed]"
_SEARCHED = 65_536


class Cover:
    """Gives a value one level deep: a scalar, or a dict or list of what is in it, the private keys' values masked.

    What it cannot look into is told by its class. A text that names a private field as one, `token: ...`, is not shown,
    and neither is one that is too long to be looked through.
    """

    def __init__(self, private: Iterable[str]) -> None:
        """Take the names of all private fields."""
        self._private = frozenset(private)
        names = "|".join(map(re.escape, sorted(self._private)))
        self._named = re.compile(rf"(?<!\w)(?:{names})[\\\"'\]]*\s*[:=](?! *expected )") if names else None

    def __call__(self, value: Any) -> Any:
        """Give `value` as a JSON scalar, dict or list."""
        if type(value) is str or isinstance(value := _bare(value), str):
            return self._text(value)
        if isinstance(value, _PLAIN):
            return value
        fields = _fields(value)
        if fields is not None:
            return self._covered(fields)
        if isinstance(value, list | tuple | set | frozenset | deque):
            return list(cast("Iterable[Any]", value))
        return str(value) if isinstance(value, _TOLD) else f"<{type(value).__name__}>"

    def _text(self, text: str) -> str:
        if self._named is None:
            return text
        if len(text) > _SEARCHED:
            return f"[private: a text of {len(text):,} characters, too many to look for private fields in]"
        found = self._named.search(text)
        return text if found is None else f"[private: a text of {len(text):,} characters with a private field in it]"

    def _covered(self, fields: Mapping[Any, Any]) -> dict[str, Any]:
        covered = {str(key): MASK if key in self._private else item for key, item in fields.items()}
        if covered.keys() >= _ENVELOPE:
            covered["data"] = _ELSEWHERE
        return covered


def _bare(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _fields(value: Any) -> Mapping[Any, Any] | None:
    if isinstance(value, Mapping):
        return cast("Mapping[Any, Any]", value)
    if isinstance(value, BaseModel):
        return dict(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    named: Any = getattr(cast("Any", value), "_asdict", None) if isinstance(value, tuple) else None
    return None if named is None else named()


def covered(cover: Callable[[Any], Any], view_bytes: int, value: Any) -> dict[str, Any]:
    """Give what is shown of a run's inputs or outputs, in at most `view_bytes` bytes; it raises nothing."""
    try:
        shown = capped(value, view_bytes, plain=cover)
    except Exception as error:  # noqa: BLE001 - whatever a value does when it is looked at, it is not shown then
        return {"crux": f"[not recorded: {type(error).__name__} while it was read]"}
    return cast("dict[str, Any]", shown) if isinstance(shown, dict) else {"crux": shown}
