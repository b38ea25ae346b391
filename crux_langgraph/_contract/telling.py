"""Turning pydantic's errors into field problems that hold no value: a path, what was expected, the type that came."""

from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core.core_schema import ErrorType

from crux_langgraph._contract._json_faults import Found
from crux_langgraph.errors import FieldProblem

ROOT = "(root)"
_FROM_USER_CODE = frozenset({"value_error", "assertion_error"})
_KNOWN = frozenset(get_args(ErrorType))
_PREFIX = "Input should be "
_QUOTING = {
    "union_tag_invalid": "one of the tags {expected_tags}",
    "uuid_parsing": "a valid UUID",
    "url_parsing": "a valid URL",
    "url_syntax_violation": "a valid URL",
    "extra_forbidden": "no field of this name",
}
"""What is told instead of the messages of pydantic's own that quote what was found, or are no end of a sentence."""
_LONGEST_KEY = 40


def problems_of(error: ValidationError, private: frozenset[str], *, own_words: bool = True) -> list[FieldProblem]:
    """Give one problem per error, in the order of the fields. What names a private field ends there.

    A validator's own message is told only with `own_words` and where no field is private: it may quote one.
    """
    quotes = own_words and not private
    return [_problem(detail, private, quotes=quotes) for detail in error.errors(include_url=False)]


def problem_of(found: Found, private: frozenset[str]) -> FieldProblem:
    """Give the problem of a value that JSON cannot hold."""
    path, _ = _path(found[0], private)
    return FieldProblem(path, found[1], found[2])


def _problem(detail: Any, private: frozenset[str], *, quotes: bool) -> FieldProblem:
    path, hidden = _path(detail["loc"], private)
    kind = detail["type"]
    if kind == "missing":
        return FieldProblem(path, "a value (it is required)", "nothing")
    if kind == "json_invalid":
        return FieldProblem(path, "JSON text", "text that is not JSON")
    expected = "what the private field declares" if hidden else _expected(detail, quotes=quotes)
    return FieldProblem(path, expected, type(detail["input"]).__name__)


def _expected(detail: Any, *, quotes: bool) -> str:
    kind: str = detail["type"]
    if not quotes and (kind in _FROM_USER_CODE or kind not in _KNOWN):
        return "what the model's own validator allows"
    if kind in _QUOTING:
        return _QUOTING[kind].format(**detail.get("ctx", {}))
    message: str = detail["msg"]
    if message.startswith(_PREFIX):
        return message.removeprefix(_PREFIX)
    return f"what satisfies: {message}"


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    if part.isidentifier() and part.isascii():
        return f".{part}"
    # The key of a mapping is data: it may be long, and hold anything that a terminal obeys.
    key = ascii(part)
    return f"[{key}]" if len(key) <= _LONGEST_KEY else f"[{key[:_LONGEST_KEY]}...]"


def _path(loc: tuple[str | int, ...], private: frozenset[str]) -> tuple[str, bool]:
    text = ""
    for part in loc:
        text += _step(part)
        if part in private:
            return text.removeprefix("."), True
    return text.removeprefix(".") or ROOT, False
