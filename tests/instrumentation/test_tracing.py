"""Whether LangSmith traces is asked in a short way, which must answer as LangSmith's own long one does."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from contextvars import Context, copy_context
from itertools import product
from typing import Any

import langsmith
import pytest
from langsmith import Client, RunTree
from langsmith.run_helpers import get_tracing_context, tracing_context
from langsmith.utils import get_env_var, tracing_is_enabled

from crux_langgraph.instrumentation import _tracing
from crux_langgraph.instrumentation._tracing import is_traced, is_traced_here

ENVIRONMENTS = [
    {},
    *({name: value} for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2") for value in ("true", "false", " ", "1")),
    {"LANGSMITH_TRACING": "true", "LANGSMITH_TRACING_V2": "false"},
]


@pytest.fixture(params=["what LangSmith keeps", "its functions"])
def _asked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask either way: a later LangSmith may keep it elsewhere."""
    if request.param == "its functions":
        monkeypatch.setattr(_tracing, "_STATE", None)


@pytest.fixture(params=ENVIRONMENTS, ids=str)
def _environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2"):
        monkeypatch.delenv(name, raising=False)
    for name, value in request.param.items():
        monkeypatch.setenv(name, value)
    get_env_var.cache_clear()
    yield
    get_env_var.cache_clear()


@contextmanager
def configured(enabled: bool | None) -> Generator[Context]:
    """Configure the whole program, and give a context from before that."""
    before = copy_context()
    langsmith.configure(enabled=enabled)
    try:
        yield before
    finally:
        langsmith.configure(enabled=None)


def run() -> RunTree:
    return RunTree(name="around", client=Client(api_url="http://127.0.0.1:9", api_key="none", auto_batch_tracing=False))


def same() -> bool:
    """Say whether both ask alike here, and whether the block is told from the rest."""
    context = get_tracing_context()
    here = context["parent"] is not None if context["enabled"] is None else bool(context["enabled"])
    return is_traced() == bool(tracing_is_enabled()) and is_traced_here() == here


@pytest.mark.usefixtures("_asked", "_environment")
def test_it_is_traced_exactly_where_langsmith_says_so() -> None:
    parent = run()
    blocks: list[dict[str, Any]] = [
        {"enabled": enabled, "parent": around}
        for enabled, around in product([None, True, False, "local"], [None, parent])
    ]
    for everywhere, block in product([None, True, False], blocks):
        with configured(everywhere) as before, tracing_context(**block):
            assert same(), (everywhere, block)
            assert before.run(same), (everywhere, "in a context from before")


@pytest.mark.parametrize("state", [None, object()])
def test_what_a_later_langsmith_keeps_elsewhere_is_not_looked_at(state: object) -> None:
    assert _tracing.kept_in(state) is None
