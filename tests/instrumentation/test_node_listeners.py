"""The node of a handoff tells whoever listens, however the listener came there."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackManager, CallbackManager
from langchain_core.globals import set_debug
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, StateGraph
from langsmith import tracing_context
from support import GOOD, Brief, Call, Research, State, make, to_brief
from watching import Seen, Suspends, Traced

from crux_langgraph import HandoffNode, add_handoff, handoff
from crux_langgraph.testing import capture_runs


def node() -> HandoffNode:
    return HandoffNode(make(), read="found")


def graph(first: Any = lambda _: {"found": GOOD}) -> Any:
    builder = StateGraph(State)
    builder.add_node("a", first)
    builder.add_node("b", lambda _: {})
    builder.add_edge(START, "a")
    add_handoff(builder, make(), read="found")
    return builder.compile()


@contextmanager
def debugging() -> Iterator[None]:
    set_debug(True)
    try:
        yield
    finally:
        set_debug(False)


@pytest.mark.parametrize(
    "kind", [list, CallbackManager.configure, AsyncCallbackManager.configure], ids=["list", "manager", "async manager"]
)
async def test_a_node_called_by_hand_tells_the_listeners_of_its_config(call: Call, kind: Any, seen: Seen) -> None:
    await call(node(), {"found": GOOD}, {"callbacks": kind([seen]), "tags": ["mine"], "metadata": {"ours": 1}})
    told = seen.told("handoff:prepare")
    assert "mine" in told["tags"]
    assert told["metadata"]["ours"] == 1


async def test_a_node_that_was_given_listeners_tells_them_beside_those_of_the_graph(call: Call, seen: Seen) -> None:
    own = Seen()
    builder = StateGraph(State)
    builder.add_node("crossing", node().with_config(callbacks=[own]))
    builder.add_edge(START, "crossing")
    result = await call(builder.compile(), {"found": GOOD}, {"callbacks": [seen]})
    assert [len(one.ours()) for one in (own, seen)] == [1, 1]
    assert len(result["handoffs"]) == 1


async def test_a_node_called_in_another_tells_the_listeners_it_was_called_with(call: Call, seen: Seen) -> None:
    def first(_: State) -> Any:
        return node().invoke({"found": GOOD}, {"callbacks": [seen]})

    builder = StateGraph(State)
    builder.add_node("first", first)
    builder.add_edge(START, "first")
    await call(builder.compile(), {})
    assert len(seen.ours()) == 1


def inside(context: Any) -> Any:
    """A graph whose node calls the one of a handoff inside a block."""

    def first(_: State, config: RunnableConfig) -> Any:
        with context():
            return node().invoke({"found": GOOD}, config)

    builder = StateGraph(State)
    builder.add_node("first", first)
    builder.add_edge(START, "first")
    return builder.compile()


async def test_a_node_called_inside_a_block_that_traces_is_traced(call: Call, traced: Traced) -> None:
    with tracing_context(enabled=False):
        await call(inside(lambda: tracing_context(enabled=True)), {})
    assert [run["name"] for run in traced.sent().runs] == ["handoff:prepare"]


async def test_a_node_called_while_debugging_is_printed(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    await call(inside(debugging), {})
    assert "handoff:prepare" in capsys.readouterr().out


@pytest.mark.parametrize("context", [capture_runs, lambda: tracing_context(enabled=True)], ids=["captured", "traced"])
def test_who_begins_to_listen_between_two_chunks_of_a_stream_hears(context: Any, traced: Traced) -> None:
    with tracing_context(enabled=False):
        stream = graph().stream({})
        next(stream)
    block: AbstractContextManager[Any] = context()
    with block as captured:
        list(stream)
    heard = [run.name for run in captured.runs] if captured else [run["name"] for run in traced.sent().runs]
    assert "handoff:prepare" in heard


def test_a_node_that_is_closed_in_another_context_ends_its_run(seen: Seen) -> None:
    async def transform(research: Research) -> Brief:
        await Suspends()
        return to_brief(research)

    seen.run_inline = True
    flow = HandoffNode(handoff(transform), read="found").ainvoke({"found": GOOD}, {"callbacks": [seen]})
    copy_context().run(flow.send, None)
    flow.close()
    [(_, ending)] = seen.ours()
    assert str(ending) == "GeneratorExit"
