"""Exact counters: made by name, where their package is there."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import RootModel
from support import ScriptedModel

from crux_langgraph import Handoff, errors, model_counter
from crux_langgraph.compression import counter_fault, tiktoken_counter


@pytest.fixture
def tokenizer(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put a tokenizer of words in the place of the package, which would download its tables."""
    asked: list[str] = []

    def make(name: str) -> Any:
        asked.append(name)
        return SimpleNamespace(encode_ordinary=str.split)

    package = SimpleNamespace(
        list_encoding_names=lambda: ["o200k_base"],
        get_encoding=make,
        encoding_for_model=lambda name: make(f"of {name}"),
    )
    monkeypatch.setitem(sys.modules, "tiktoken", package)  # type: ignore[arg-type]
    return asked


def test_an_exact_counter_is_made_by_encoding_or_model(tokenizer: list[str]) -> None:
    assert tiktoken_counter()("one two") == 2
    assert counter_fault(tiktoken_counter("gpt-4o")) is None
    assert tokenizer == ["o200k_base", "of gpt-4o"]


class Counting(ScriptedModel):
    """A chat model that counts tokens by a function."""

    count: Callable[[str], Any]

    def get_num_tokens(self, text: str) -> int:
        return self.count(text)


class Text(RootModel[str]):
    pass


def test_a_models_own_count_can_carry_a_budget() -> None:
    counter = model_counter(Counting(replies=[], count=lambda text: 1 + len(text) // 3))
    payload = Handoff.of(Text, id="x", max_tokens=90, counter=counter).prepare(Text("It rained again. " * 100))
    assert counter(payload.context) == payload.receipt.context_tokens <= 90


@pytest.mark.parametrize(
    "count, says",
    [
        (lambda _: 0, "answers 0 for a sentence"),
        (lambda _: -3, "answers -3"),
        (lambda _: 7, "answers 7 for 8 times the text"),
        (lambda _: 7.5, "answers float"),
        (lambda text: len(text) // 40, "answers 9 for 360 characters, fewer than any tokenizer"),
    ],
)
def test_a_model_that_counts_nonsense_is_refused(count: Any, says: str) -> None:
    with pytest.raises(errors.DefinitionError, match=f"Counting.get_num_tokens {says}") as caught:
        model_counter(Counting(replies=[], count=count))
    assert "the default estimate needs neither" in caught.value.fix


def test_a_model_that_cannot_count_here_is_refused_with_its_error_chained() -> None:
    def offline(_: str) -> int:
        raise ConnectionError

    with pytest.raises(errors.DefinitionError, match="raised ConnectionError") as caught:
        model_counter(Counting(replies=[], count=offline))
    assert isinstance(caught.value.__cause__, ConnectionError)


def test_without_the_package_it_is_told_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tiktoken", None)  # type: ignore[arg-type]
    with pytest.raises(ModuleNotFoundError, match=r'pip install "crux-langgraph\[tiktoken\]"'):
        tiktoken_counter()
