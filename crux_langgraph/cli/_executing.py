"""The second agent: a deterministic stand-in, or any chat model that LangChain knows."""

from collections.abc import Callable, Sequence

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from pydantic import SecretStr, ValidationError

from crux_langgraph.cli._briefing import Brief
from crux_langgraph.cli._plain import one_line
from crux_langgraph.cli._stopping import StopError

Execute = Callable[[Brief, Sequence[BaseMessage]], str]
"""What the executor does: from the brief and the prompt that holds it, its answer."""

STAND_IN = "stand-in"


class ModelFailedError(Exception):
    """The model was reached, or should have been, and gave no answer."""


def stand_in(brief: Brief, _: Sequence[BaseMessage]) -> str:
    """Say what would be worked on, without a model: the same brief gives the same answer."""
    who = f"user {brief.user_id}" if brief.user_id else "the user"
    tools = ", ".join(dict.fromkeys(record.tool for record in brief.records)) or "nothing"
    return f"(stand-in, no model) I would now act for {who} on: {one_line(brief.request[-1])} On record: {tools}."


def chat_model(name: str) -> Execute:
    """Give an executor that asks the chat model `provider:name`.

    Raises `StopError` that says what to install or set when there is no such model, package or key.
    """
    model = model_named(name)

    def execute(_: Brief, prompt: Sequence[BaseMessage]) -> str:
        try:
            return str(model.invoke(list(prompt)).text)
        except Exception as error:
            message = f"the model {name} gave no answer: {type(error).__name__}: {_told(error)}"
            raise ModelFailedError(message) from error

    return execute


def model_named(name: str) -> BaseChatModel:
    """Make the chat model `provider:name`. Raises `StopError` that says what to install or set when that cannot be."""
    provider, _, model = name.partition(":")
    if not provider or not model:
        raise StopError(where=f"--model {name}", found="give provider:name, for example openai:gpt-4o-mini")
    try:
        from langchain.chat_models import init_chat_model
    except ModuleNotFoundError:
        raise StopError(found="--model needs langchain", fix='pip install "crux-langgraph[agents]"') from None
    try:
        made = init_chat_model(model, model_provider=provider)
    except Exception as error:  # noqa: BLE001 - each provider's package has errors of its own for a missing key
        raise StopError(where=f"--model {name}", found=_told(error)) from None
    _require_key(name, made)
    return made


def _require_key(name: str, model: BaseChatModel) -> None:
    """Refuse a model whose key is empty, for packages that would notice only when the model is called."""
    for field, variable in model.lc_secrets.items():
        given = getattr(model, field, None)
        if isinstance(given, SecretStr) and not given.get_secret_value():
            raise StopError(where=f"--model {name}", found="there is no key", fix=f"set {variable}")


def _told(error: Exception) -> str:
    """Tell an error on one line. The first line of a pydantic error alone: the others show values."""
    text = str(error).strip() or type(error).__name__
    return one_line(text.splitlines()[0] if isinstance(error, ValidationError) else text)
