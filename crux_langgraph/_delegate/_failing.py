"""What a subagent raised: control flow passes through, everything else becomes a `SubagentError`."""

import asyncio
from typing import NoReturn, cast

from langgraph.errors import GraphBubbleUp, is_invalid_resume
from pydantic import ValidationError

from crux_langgraph._contract import telling
from crux_langgraph.errors import DepthLimitError, SubagentError, WrongWayError

Why = tuple[str, str]
"""What a subagent did in place of ending, and what to do about it."""

_PASSES_THROUGH = (GraphBubbleUp, WrongWayError, DepthLimitError)


def raise_as_failure(delegate: str, subagent: str, private: frozenset[str], error: BaseException) -> NoReturn:
    """Raise `error` itself if it passes through or is already this delegate's, else the `SubagentError` of it."""
    if _is_from_outside(error) or (isinstance(error, SubagentError) and error.delegate == delegate):
        raise error
    passing = _passing_in(error)
    if passing is not None:
        raise passing
    if isinstance(error, ValidationError):
        raise SubagentError(
            delegate=delegate,
            found=f"{subagent} built a {error.title} that is not valid",
            fix="Give each field of the model what it declares. Nothing was handed over.",
            problems=telling.problems_of(error, private, own_words=False),
            original=error,
        ) from None
    raise SubagentError(
        delegate=delegate,
        found=f"{subagent} raised {type(error).__name__}",
        fix="Mend the subagent, or what it calls; its own error is above. Nothing was handed over.",
        original=error,
    ) from error


def without_an_end(delegate: str, subagent: str, why: Why) -> SubagentError:
    """Give the error of a subagent that raised nothing and came to no end that could be handed over."""
    did, fix = why
    return SubagentError(delegate=delegate, found=f"{subagent} {did}", fix=f"{fix} Nothing was handed over.")


def _is_from_outside(error: BaseException) -> bool:
    """Say whether this is the caller's own cancellation, and not one of a task that the subagent waited for."""
    if not isinstance(error, asyncio.CancelledError):
        return False
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop: nobody can cancel the synchronous way
        return False
    return task is None or task.cancelling() > 0


def _passing_in(error: BaseException) -> BaseException | None:
    """Give what passes through, also out of the group that a subagent's task group wraps it in; None if nothing does."""
    if isinstance(error, BaseExceptionGroup):
        inside = (_passing_in(one) for one in cast("BaseExceptionGroup[BaseException]", error).exceptions)
        return next((one for one in inside if one is not None), None)
    return error if isinstance(error, _PASSES_THROUGH) or is_invalid_resume(error) else None
