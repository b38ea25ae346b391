"""Scope: whose handoffs are meant. A conversation by default, everybody's only when asked for."""

import json
from collections.abc import Sequence
from enum import Enum
from typing import Any, Final, Literal, cast

from langgraph.config import get_config

from crux_langgraph.errors import ScopeError

_MOST_CHARACTERS = 1_000


class Whole(Enum):
    """Scopes that are no conversation."""

    GLOBAL = "global"
    ANY = "any"

    def __repr__(self) -> str:
        return self.name


GLOBAL: Final = Whole.GLOBAL
"""One inbox for everybody: nothing keeps two users apart."""
ANY: Final = Whole.ANY
"""Of a claim, a list or a requeue: the records of whatever scope."""

Scope = str | Sequence[str] | Literal[Whole.GLOBAL] | None
"""A conversation's id, several parts such as `(tenant, conversation)`, `GLOBAL`, or None for the running thread."""


def encoded(handoff: str, method: str, scope: Scope | Whole) -> str:
    """Give the text under which a store has a scope: a JSON list of its parts, so that no two scopes have the same.

    Raises `ScopeError` when nothing was said and no graph with a thread is running, or when it is no scope.
    """
    if scope is None:
        return _written(handoff, method, (_running_thread(handoff, method),))
    if scope is GLOBAL:
        return "[]"
    parts: object = (scope,) if isinstance(scope, str) else scope
    if not _are_parts(parts):
        raise ScopeError(
            handoff=handoff,
            found=f"{method}() was given a scope that is {_told(scope)}",
            fix="Give scope= the conversation's id as a non-empty text, a tuple of such texts, or GLOBAL.",
        )
    return _written(handoff, method, cast("Sequence[str]", parts))


def parts_of(text: str) -> tuple[str, ...]:
    """Give the parts of an encoded scope; none for `GLOBAL`."""
    return tuple(json.loads(text))


def _written(handoff: str, method: str, parts: Sequence[str]) -> str:
    text = json.dumps(list(parts), separators=(",", ":"))
    if len(text) > _MOST_CHARACTERS:
        raise ScopeError(
            handoff=handoff,
            found=f"{method}() was given a scope of {len(text)} characters, written as JSON; it may have {_MOST_CHARACTERS}",
            fix="Give scope= an id of the conversation, and not what it is about.",
        )
    return text


def _are_parts(parts: object) -> bool:
    if not isinstance(parts, list | tuple):
        return False
    found = cast("Sequence[object]", parts)
    return bool(found) and all(isinstance(part, str) and part for part in found)


def _told(scope: object) -> str:
    if scope is ANY:
        return "ANY, which only a claim and a list can have"
    return f"a {type(scope).__name__}" if not isinstance(scope, str | list | tuple) else "empty, or has an empty part"


def _running_thread(handoff: str, method: str) -> str:
    try:
        configurable: dict[str, Any] = get_config().get("configurable") or {}
    except RuntimeError:
        found = "no graph is running here"
    else:
        thread = configurable.get("thread_id")
        if thread not in (None, ""):
            return str(thread)
        found = "the running graph has no thread_id"
    raise ScopeError(
        handoff=handoff,
        found=f"{method}() was not told a scope, and {found}",
        fix="Give scope= the conversation's id, or GLOBAL for one inbox that everybody shares.",
    )
