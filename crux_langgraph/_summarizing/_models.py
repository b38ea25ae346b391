"""What must be known of a model before it is called: its object when it was named, its window, its own retries."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import product
from typing import Any, cast

from langchain_core.runnables import Runnable, RunnableSequence, RunnableWithFallbacks
from langchain_core.runnables.base import RunnableBinding
from langchain_core.runnables.configurable import DynamicRunnable
from langchain_core.runnables.retry import RunnableRetry
from pydantic import BaseModel

from crux_langgraph._numbers import is_whole
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


def window_of(models: Sequence[Runnable[Any, Any]], given: int | None) -> int:
    """Give the tokens that fit into one request: what the models say of themselves, else `given`, else 8,000.

    Of several it is the smallest window: any of them may be sent the request.
    """
    said = [window for model in models if (window := _window(model)) is not None]
    return min(said, default=given or DEFAULT_WINDOW)


def singles(model: Runnable[Any, Any]) -> list[Runnable[Any, Any]]:
    """Give a model and its fallbacks, each as a model that makes one call when it is called once.

    Retries of their own would be calls that nobody counts: they are taken off, on a copy where a model says by
    `max_retries` how often it retries. Others are given as they are.
    """
    return list(_singles(model))


def _singles(model: Any) -> Iterator[Any]:
    if isinstance(model, RunnableRetry):
        yield from _singles(cast("Any", model).bound)
    elif isinstance(model, RunnableWithFallbacks):
        yield from (one for each in cast("Any", model).runnables for one in _singles(each))
    elif isinstance(model, RunnableSequence):
        yield from (RunnableSequence(*steps, name=model.name) for steps in product(*map(_singles, model.steps)))
    elif isinstance(model, RunnableBinding | DynamicRunnable):
        name = "bound" if isinstance(model, RunnableBinding) else "default"
        held: Any = cast("Any", model)
        yield from (held.model_copy(update={name: one}) for one in _singles(getattr(held, name)))
    elif isinstance(model, BaseModel) and "max_retries" in type(model).model_fields:
        yield _without_clients(model.model_copy(update={"max_retries": 0, **_single(model)}))
    else:
        yield model


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


def _window(model: Any) -> int | None:
    profile = getattr(_first(model), "profile", None)
    said = cast("Mapping[str, Any]", profile).get("max_input_tokens") if isinstance(profile, Mapping) else None
    return said if is_whole(said, 1) else None


def _first(model: Any) -> Any:
    # `model | parser` is a sequence: what is to be known is known of its first step.
    return getattr(model, "first", model)


def _unavailable(name: str, found: str, fix: str) -> DefinitionError:
    return DefinitionError(
        handoff="Summarize",
        found=f"the model {name!r} cannot be made: {found}",
        fix=f"{fix}, or give model= a chat model object.",
    )
