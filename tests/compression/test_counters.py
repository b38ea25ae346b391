"""Exact counters: made by name, where their package is there."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest

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
