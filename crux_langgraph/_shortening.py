"""Asking a model to write a payload's prose shorter, when the payload does not fit or when that is always wanted."""

import sys
from typing import Any, TypeVar

from pydantic import BaseModel

from crux_langgraph._model_use import ModelUse
from crux_langgraph._payload import Payload
from crux_langgraph._rendering import CounterFaultError
from crux_langgraph._summarized import LEAST_QUOTA, Summarized, summarized
from crux_langgraph._summarizing import Summarize
from crux_langgraph._summarizing._summary import Summary, summarize
from crux_langgraph._waiting import Way

Out = TypeVar("Out", bound=BaseModel)

_LOSSLESS = frozenset({"verbatim", "compact"})


async def shortened(way: Way, settings: Summarize, payload: Payload[Out]) -> Payload[Out]:
    """Give the payload with a summary by the model; as it is when it fits or when it has no prose.

    Whatever fails at the model is told by the receipt: the text is then the deterministic fit, which is made first.
    Raises `BudgetError` when that cannot be or the counter fails, and `DefinitionError` for a named model that cannot
    be made.
    """
    try:
        return await _shortened(way, settings, payload)
    except CounterFaultError as fault:
        payload.rendering.raise_fault(fault, payload.rendering.max_tokens or sys.maxsize)


async def _shortened(way: Way, settings: Summarize, payload: Payload[Out]) -> Payload[Out]:
    # Off the event loop: a payload of megabytes is fitted for seconds.
    rendered = await way.compute(lambda: payload.texts.rendered)
    fits = rendered.tier in _LOSSLESS
    if fits and not settings.always:
        return payload
    layout = await way.compute(lambda: summarized(payload.rendering, payload.data, payload.texts.frame))
    if not layout.prose.passages:
        return payload
    text, use = await write_shorter(way, settings, layout, payload.rendering.max_tokens, fits=fits)
    made = payload.summarized(text, use)
    rendered = await way.compute(lambda: made.texts.rendered)
    if text is not None and rendered.tier != "summary":
        return payload.summarized(None, use._replace(used=False, degraded=(*use.degraded, "limits")))
    return made


async def write_shorter(
    way: Way, settings: Summarize, layout: Summarized, max_tokens: int | None, *, fits: bool
) -> tuple[str | None, ModelUse]:
    """Ask the model for a summary of the prose that fits beside the rest, and say what that took.

    None stands for a summary of which nothing is the model's. `fits`: all of it would fit as it is.
    """
    quota = await way.compute(lambda: _quota(layout, max_tokens, fits))
    if quota < LEAST_QUOTA:
        return None, ModelUse(used=False, degraded=("limits",))
    summary = await summarize(
        way,
        settings,
        layout.prose.passages,
        quota_tokens=quota,
        counter=layout.counter,
        shrink=layout.shrunk,
        task=layout.task,
    )
    return (summary.text if summary.by_model else None), _use(summary)


def _quota(layout: Summarized, max_tokens: int | None, fits: bool) -> int:
    quota = layout.quota(max_tokens)
    return min(quota, layout.brief_quota) if fits else quota


def _use(summary: Summary) -> ModelUse:
    facts: dict[str, Any] = {name: getattr(summary, name) for name in ModelUse._fields if name != "used"}
    return ModelUse(used=summary.by_model, **facts)
