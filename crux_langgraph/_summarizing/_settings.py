"""Summarize: which model may shorten prose, and how much of it that may cost."""

import importlib.util
import math
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Any, NoReturn

from langchain_core.runnables import Runnable

from crux_langgraph._numbers import is_above, is_whole
from crux_langgraph.errors import DefinitionError


@dataclass(frozen=True)
class Summarize:
    """Lets a model shorten the prose of a payload that does not fit, within limits that are never exceeded.

    Args:
        model: a chat model, any runnable that takes messages, or "provider:name" (needs the extra `agents`).
        instructions: further rules for the model, in your words; None for none.
        max_calls: the most model calls for one payload, retries and fallbacks included. Retries of the model's own
            (`max_retries`, `with_retry`) are switched off in a copy of it, and its fallbacks (`with_fallbacks`) are
            asked, whatever failed, while calls are left; what a function of yours calls is inside one call.
        max_input_tokens: the most tokens that all calls for one payload read together, by the handoff's counter.
        timeout_s: seconds to wait for the model per payload, from the first call on; our own work is not counted.
            On the synchronous way a call that still runs then goes on unheard, and a program that ends waits for it.
        concurrency: the most calls at the same time for one payload.
        always: also let the model shorten what would fit.

    Raises `DefinitionError` for values that cannot work, with what to write instead.
    """

    model: Runnable[Any, Any] | str
    _: KW_ONLY
    instructions: str | None = None
    max_calls: int = 8
    max_input_tokens: int = 64_000
    timeout_s: float = 30
    concurrency: int = 4
    always: bool = False

    def __post_init__(self) -> None:
        _check_model(self.model)
        if self.instructions is not None and not _is_text(self.instructions):
            _refuse("instructions", self.instructions, "text with further rules for the model, or leave it out")
        for name in ("max_calls", "max_input_tokens", "concurrency"):
            if not is_whole(getattr(self, name), 1):
                _refuse(name, getattr(self, name), "a whole number from 1")
        if not _is_seconds(self.timeout_s):
            _refuse("timeout_s", self.timeout_s, "the seconds to wait for the model, a finite number above 0")
        if not isinstance(self.always, bool):  # pyright: ignore[reportUnnecessaryIsInstance] - users may break types
            _refuse("always", self.always, "True or False")

    @cached_property
    def resolved(self) -> list[Runnable[Any, Any]]:
        """The model itself, then its fallbacks. Made on first use when it was named: that imports its provider's package.

        Raises `DefinitionError` when that package is missing or the provider is unknown.
        """
        from crux_langgraph._summarizing._models import model_named, singles  # takes a while; defining needs none of it

        return singles(model_named(self.model) if isinstance(self.model, str) else self.model)


def _check_model(given: object) -> None:
    if isinstance(given, Runnable):
        return
    if not isinstance(given, str):
        _refuse("model", given, "a chat model, a runnable that takes messages, or 'provider:name'")
    provider, _, name = given.partition(":")
    if not (provider.strip() and name.strip()):
        _refuse("model", given, "the provider as well, for example 'openai:gpt-5-mini'")
    if importlib.util.find_spec("langchain") is None:
        raise DefinitionError(
            handoff="Summarize",
            found=f"model= is {given!r}, and the package langchain, which makes models by name, is not installed",
            fix="Install crux-langgraph[agents], or give model= a chat model object.",
        )


def _is_text(given: object) -> bool:
    return isinstance(given, str) and bool(given.strip())


def _is_seconds(given: object) -> bool:
    return is_above(given, 0) and given < math.inf


def _refuse(name: str, given: object, instead: str) -> NoReturn:
    told = repr(given) if isinstance(given, str | int | float | None) else type(given).__name__
    raise DefinitionError(handoff="Summarize", found=f"{name}= is {told}", fix=f"Give {name}= {instead}.")
