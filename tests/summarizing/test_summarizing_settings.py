"""What Summarize accepts, refuses and makes of a name."""

import dataclasses
import importlib.util
import math
import sys
from functools import cached_property
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from prose import Writer, both_ways, prose

from crux_langgraph._summarizing import Summarize
from crux_langgraph._summarizing._models import singles, window_of
from crux_langgraph.errors import DefinitionError

run = pytest.fixture(params=["sync", "async"])(both_ways)


@pytest.mark.parametrize(
    "options, says",
    [
        ({"model": 3}, "Give model= a chat model, a runnable that takes messages, or 'provider:name'"),
        ({"model": Writer}, "a chat model"),
        ({"model": "gpt-5-mini"}, "'openai:gpt-5-mini'"),
        ({"model": "openai:"}, "'openai:gpt-5-mini'"),
        ({"instructions": " "}, "instructions="),
        ({"instructions": 3}, "instructions="),
        ({"max_calls": 0}, "max_calls= is 0"),
        ({"max_calls": True}, "max_calls= is True"),
        ({"max_input_tokens": 1.5}, "max_input_tokens= is 1.5"),
        ({"concurrency": -1}, "concurrency= is -1"),
        ({"concurrency": None}, "concurrency= is None"),
        ({"timeout_s": 0}, "timeout_s= is 0"),
        ({"timeout_s": math.nan}, "timeout_s= is nan"),
        ({"timeout_s": math.inf}, "timeout_s= is inf"),
        ({"timeout_s": True}, "timeout_s= is True"),
        ({"timeout_s": [30]}, "timeout_s= is list"),
        ({"always": 1}, "always= is 1"),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_write(options: dict[str, Any], says: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        Summarize(**{"model": Writer(), **options})
    assert says in str(caught.value)


def test_limits_are_keywords_and_settings_are_frozen() -> None:
    with pytest.raises(TypeError):
        Summarize(Writer(), "Write in Dutch.")  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Summarize(Writer()).max_calls = 3  # type: ignore[misc]


def test_a_model_object_is_used_as_it_is() -> None:
    model = Writer()
    assert [one is model for one in Summarize(model).resolved] == [True]


def test_a_named_model_is_made_once_and_makes_no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    settings = Summarize("openai:gpt-4o-mini")
    assert settings.resolved is settings.resolved
    assert [one.max_retries for one in settings.resolved] == [0]  # type: ignore[attr-defined]


def test_a_named_model_needs_langchain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DefinitionError, match=r"Install crux-langgraph\[agents\]"):
        Summarize("openai:gpt-4o-mini")


def test_langchain_that_went_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Summarize("openai:gpt-4o-mini")
    monkeypatch.setitem(sys.modules, "langchain.chat_models", None)
    with pytest.raises(DefinitionError, match=r"Install crux-langgraph\[agents\]"):
        _ = settings.resolved


async def test_a_missing_package_of_the_provider_is_one_clear_error(run: Any) -> None:
    with pytest.raises(DefinitionError, match=r"'groq:llama' cannot be made: a package is missing"):
        await run(Summarize("groq:llama"), prose(300))


async def test_an_unknown_provider_is_one_clear_error(run: Any) -> None:
    with pytest.raises(DefinitionError, match="Name a provider that langchain knows"):
        await run(Summarize("nobody:model"), prose(300))


@pytest.mark.parametrize(
    "profile, given, window", [(None, None, 8_000), (None, 300, 300), ({"max_input_tokens": 90}, 300, 90), ({}, 5, 5)]
)
def test_the_window_is_what_the_model_says_else_what_is_given_else_8000(profile: Any, given: Any, window: int) -> None:
    assert window_of([Writer(profile=profile)], given) == window


def test_retries_of_an_openai_client_are_switched_off_on_a_copy() -> None:
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model="gpt-4o-mini", api_key="none", max_retries=5)  # type: ignore[arg-type]
    copies: list[Any] = [*singles(model), *singles(model.bind(temperature=0))]
    for copy in (copies[0], copies[1].bound):
        assert (copy.max_retries, copy.root_client.max_retries, copy.root_async_client.max_retries) == (0, 0, 0)
        assert copy.client is copy.root_client.chat.completions
    assert (model.max_retries, model.root_client.max_retries) == (5, 5)


class Lazy(Writer):
    """Makes its client when it is first used, as other providers' models do."""

    max_retries: int = 2

    @cached_property
    def client(self) -> str:
        return f"a client of {self.max_retries} retries"


def test_a_client_that_was_made_with_retries_is_made_anew_without() -> None:
    model = Lazy()
    assert model.client == "a client of 2 retries"
    assert [one.client for one in singles(model)] == ["a client of 0 retries"]  # type: ignore[attr-defined]
    assert model.client == "a client of 2 retries"


def test_the_steps_of_a_sequence_are_looked_at() -> None:
    [sequence] = singles(Lazy() | StrOutputParser())
    assert [getattr(step, "max_retries", None) for step in sequence.steps] == [0, None]  # type: ignore[attr-defined]


def test_other_models_are_left_as_they_are() -> None:
    model = FakeListChatModel(responses=["a"])
    assert [one is model for one in singles(model)] == [True]
