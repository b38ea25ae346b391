"""Refusing a delegate that could not work, at the line where it is defined."""

from typing import Literal

from crux_langgraph._handoff import Handoff
from crux_langgraph._numbers import is_above, is_whole
from crux_langgraph.errors import DefinitionError

DEFAULT_MAX_DEPTH = 8

OnError = Literal["raise", "tell"]
"""As a tool: raise a failure of the subagent, or tell the calling model."""


def refusal(name: str, found: str, fix: str) -> DefinitionError:
    """Give the error of a wrongly defined delegate."""
    return DefinitionError(handoff=name, found=found, fix=fix, kind="delegate")


def checked_handoff(name: str, given: object) -> None:
    """Refuse what is no handoff, such as the model that one would take."""
    if not isinstance(given, Handoff):
        raise refusal(
            name,
            f"its handoff is of type {type(given).__name__}",
            "Give handoff= a function decorated with @handoff, or Handoff.of(Model, id=...).",
        )


def checked_repairs(name: str, given: object) -> int:
    """Give `given` if it can be a number of repairs."""
    if not is_whole(given, 0):
        raise refusal(name, f"max_repairs is {given!r}", "Give max_repairs= a whole number from 0.")
    return given


def checked_depth(name: str, given: object) -> int | None:
    """Give `given` if it can be a depth of nesting; None is no limit."""
    if given is not None and not is_whole(given, 1):
        raise refusal(name, f"max_depth is {given!r}", "Give max_depth= a whole number from 1, or None for no limit.")
    return given


def checked_timeout(name: str, given: object) -> float | None:
    """Give `given` if it can be a number of seconds; None is no limit."""
    if given is not None and not is_above(given, 0):
        raise refusal(name, f"timeout_s is {given!r}", "Give timeout_s= seconds above 0, or None for no limit.")
    return given


def checked_on_error(name: str, given: object) -> bool:
    """Say whether a calling model is told of failures, or refuse what is neither `raise` nor `tell`."""
    if given not in ("raise", "tell"):
        raise refusal(name, f"on_error is {given!r}", "Give on_error='raise', or 'tell' for the calling model to know.")
    return given == "tell"
