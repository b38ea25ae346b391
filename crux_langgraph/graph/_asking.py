"""How a user's `read` or `write` function is called: with one argument, and with a second one if it asks for it."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

_BY_KEYWORD = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def with_second(function: Callable[..., Any], name: str, value: Any) -> Callable[..., Any]:
    """Give `function` with its second argument filled in, if it asks for one.

    It asks by a parameter called `name`, or by a second parameter without a default, whatever that is called.
    """
    asked = _asked(function, name)
    return function if asked is None else functools.partial(function, **{asked: value})


def can_be_asked(function: Callable[..., Any], name: str) -> bool:
    """Say whether `function` can be called that way; True for one whose signature cannot be read."""
    signature = _signature(with_second(function, name, None))
    if signature is None:
        return True
    try:
        signature.bind(None)
    except TypeError:
        return False
    return True


def _asked(function: Callable[..., Any], name: str) -> str | None:
    signature = _signature(function)
    later = [] if signature is None else list(signature.parameters.values())[1:]
    if any(parameter.name == name and parameter.kind in _BY_KEYWORD for parameter in later):
        return name
    second = later[0] if later else None
    if second is None or second.default is not inspect.Parameter.empty:
        return None
    return second.name if second.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD else None


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    # Some callables of the standard library have none to read, `operator.itemgetter("key")` among them.
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None
