"""Refusing numbers with which a stored operation could not work, before it does anything."""

from crux_langgraph._numbers import is_above, is_from, is_whole
from crux_langgraph.errors import InputError


def require_seconds(handoff: str, option: str, given: object, *, or_zero: bool = False) -> None:
    """Raise `InputError` when `given` is no number of seconds above 0; `or_zero` lets 0 itself pass."""
    if not (is_from(given, 0) if or_zero else is_above(given, 0)):
        raise _refusal(handoff, option, given, f"a number of seconds {'from' if or_zero else 'above'} 0")


def require_attempts(handoff: str, given: object) -> None:
    """Raise `InputError` when `given` is no number of attempts: with none, each record would go to the dead letters."""
    if not is_whole(given, 1):
        raise _refusal(handoff, "max_attempts", given, "a whole number from 1")


def _refusal(handoff: str, option: str, given: object, instead: str) -> InputError:
    return InputError(
        handoff=handoff,
        found=f"{option} is {given!r}" if isinstance(given, int | float) else f"{option} is a {type(given).__name__}",
        fix=f"Give {option}= {instead}. Nothing was done.",
    )
