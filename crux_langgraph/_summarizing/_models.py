"""What must be known of a model before it is called: its object when it was named, its window, its own retries."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, cast

from langchain_core.runnables import Runnable, RunnableSequence
from langchain_core.runnables.base import RunnableBinding
from langchain_core.runnables.retry import RunnableRetry
from pydantic import BaseModel

from crux_langgraph.errors import DefinitionError

DEFAULT_WINDOW = 8_000

_CLIENTS = {"root_client": "client", "root_async_client": "async_client"}


def model_named(name: str) -> Runnable[Any, Any]:
    """Make the model "provider:name". Raises `DefinitionError` when it cannot be made here at all."""
    try:
        from langchain.chat_models import init_chat_model
    except ImportError:
        raise _unavailable(name, "the package langchain is not installed", "Install crux-langgraph[agents]") from None
    try:
        return cast("Runnable[Any, Any]", init_chat_model(name))
    except ImportError as error:
        raise _unavailable(name, f"a package is missing: {error}", "Install it") from None
    except ValueError as error:
        raise _unavailable(name, str(error), "Name a provider that langchain knows") from None


def window_of(model: Runnable[Any, Any], given: int | None) -> int:
    """Give the tokens that fit into one request: what the model says of itself, else `given`, else 8,000."""
    profile = getattr(_first(model), "profile", None)
    said = cast("Mapping[str, Any]", profile).get("max_input_tokens") if isinstance(profile, Mapping) else None
    return said if isinstance(said, int) and said > 0 else given or DEFAULT_WINDOW


def counted(model: Runnable[Any, Any]) -> Runnable[Any, Any]:
    """Give the model without retries of its own, which would be calls that nobody counts.

    That is a copy where a model says by `max_retries` how often it retries; others are given as they are.
    """
    if isinstance(model, RunnableRetry):
        return counted(model.bound)
    if isinstance(model, RunnableBinding):
        return model.model_copy(update={"bound": counted(model.bound)})
    if isinstance(model, RunnableSequence):
        return RunnableSequence(*map(counted, model.steps), name=model.name)
    if not isinstance(model, BaseModel) or "max_retries" not in type(model).model_fields:
        return cast("Runnable[Any, Any]", model)
    return cast("Runnable[Any, Any]", _without_clients(model.model_copy(update={"max_retries": 0, **_single(model)})))


def _single(model: BaseModel) -> dict[str, Any]:
    """Give what a model over OpenAI's client library has made of `max_retries` when it was made itself."""
    clients = {name: getattr(model, name, None) for name in _CLIENTS}
    if not all(hasattr(client, "with_options") for client in clients.values()):
        return {}
    single: dict[str, Any] = {name: cast("Any", client).with_options(max_retries=0) for name, client in clients.items()}
    return {**single, **{chat: single[name].chat.completions for name, chat in _CLIENTS.items()}}


def _without_clients(model: BaseModel) -> BaseModel:
    # Other providers' models make their clients when they are first used, by what `max_retries` was then.
    made = vars(model)
    for name in [name for name in made if isinstance(getattr(type(model), name, None), cached_property)]:
        del made[name]
    return model


def _first(model: Runnable[Any, Any]) -> Any:
    # `model | parser` is a sequence: what is to be known is known of its first step.
    return getattr(model, "first", model)


def _unavailable(name: str, found: str, fix: str) -> DefinitionError:
    return DefinitionError(
        handoff="Summarize",
        found=f"the model {name!r} cannot be made: {found}",
        fix=f"{fix}, or give model= a chat model object.",
    )
