"""The tables of the README: each says what its command says today."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a benchmark by its name, as its own command does."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT / "tests" / "benchmarks")])
    return importlib.import_module


def test_the_table_of_received_tokens_is_what_its_command_prints(load: Any) -> None:
    assert f"\n{load('received_tokens').table()}\n\n" in README


@pytest.mark.parametrize("name", ["`Summarize`, as it is by default", "LangChain's `SummarizationMiddleware`"])
def test_the_table_of_summarisers_is_what_its_command_prints(load: Any, name: str) -> None:
    summarizers = load("summarizers")
    assert f"\n{summarizers.README_HEAD}\n" in README
    assert f"\n{summarizers.readme_row(name)}\n" in README


def test_a_table_is_put_in_the_place_of_the_one_with_its_head(
    load: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tables = load("readme_tables")
    page = tmp_path / "README.md"
    page.write_text("One.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nTwo.\n", encoding="utf-8")
    monkeypatch.setattr(tables, "README", page)
    tables.put("| a | b |\n|---|---|\n| 3 | 4 |")
    assert page.read_text(encoding="utf-8") == "One.\n\n| a | b |\n|---|---|\n| 3 | 4 |\n\nTwo.\n"
    with pytest.raises(LookupError, match="c"):
        tables.put("| c |\n|---|")
