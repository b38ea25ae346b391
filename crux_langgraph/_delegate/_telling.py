"""What a calling model is told of a delegate's call: its result, or which of its failures."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json, to_json

from crux_langgraph._delegate._result import DelegateResult
from crux_langgraph._texts import written
from crux_langgraph.errors import (
    ArgumentsError,
    DelegateError,
    DepthLimitError,
    OutputError,
    ReturnError,
    SubagentError,
    TimeLimitError,
)

_TOLD = (SubagentError, ReturnError, TimeLimitError, DepthLimitError, ArgumentsError)


def told_result(result: DelegateResult[Any], envelope: Mapping[str, Any], max_tokens: int | None) -> str:
    """Give data and summary as one JSON object when they are within `max_tokens`, else the payload's context.

    `envelope` is the result's own. Private fields are in neither.
    """
    payload = result.payload
    data = envelope["payload"]["data"]
    if payload.contract.private:
        data = from_json(written(OutputError, payload.handoff, payload.data, payload.contract.text_rendered))
    text = to_json({"data": data, "summary": payload.summary}).decode()
    fits = max_tokens is None or payload.rendering.tokens_of(text, max_tokens) <= max_tokens
    return text if fits else payload.context


def is_told(error: DelegateError, *, also_failures: bool) -> bool:
    """Say whether a calling model is told of `error`: of bad arguments always, and of failures where it is to be.

    Never of what is its caller's to mend, nor when that is so of a delegate further inside.
    """
    return isinstance(error, ArgumentsError) or (also_failures and isinstance(_innermost(error), _TOLD))


def _innermost(error: DelegateError) -> DelegateError:
    """The failure that the others came of: a delegate inside a delegate makes each of them fail."""
    while isinstance(error.original, DelegateError):
        error = error.original
    return error
