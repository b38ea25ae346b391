"""What a run's metadata says of the runs and settings around it: as of any other run that starts there."""

from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langchain_core.runnables.config import ensure_config, patch_config, set_config_context
from langgraph.graph import START, StateGraph
from langsmith import get_current_run_tree, traceable
from langsmith.run_helpers import tracing_context
from support import GOOD, State, make
from watching import Seen, Traced

CROSSING = make()
CONFIG: Any = {
    "configurable": {"thread_id": "t", "user": "u", "model": "m", "limit": 3},
    "metadata": {"team": "research"},
    "tags": ["tagged"],
}


def crosses_beside_another(_: Any = None) -> Any:
    CROSSING.prepare(GOOD)
    RunnableLambda(lambda _: None, name="beside").invoke(None)
    return {}


def in_a_tracing_context(_: Any) -> Any:
    with tracing_context(tags=["inside"], metadata={"block": "b"}):
        return crosses_beside_another()


def in_a_traceable(_: Any) -> Any:
    return traceable(crosses_beside_another, name="around")()


def below_a_run_of_langsmiths_own(_: Any) -> Any:
    tree: Any = get_current_run_tree()
    own = tree.create_child("own")
    own.post()
    with tracing_context(parent=own):
        update = crosses_beside_another()
    own.end()
    own.patch()
    return update


def with_more_configurable(_: Any) -> Any:
    with set_config_context(patch_config(ensure_config(), configurable={"later": "l"})) as context:
        return context.run(crosses_beside_another)


def run_in_a_node(body: Any, **more: Any) -> None:
    builder: Any = StateGraph(State)
    builder.add_node("n", body)
    builder.add_edge(START, "n")
    builder.compile().invoke({}, {**CONFIG, **more})


@pytest.mark.parametrize(
    "body",
    [
        crosses_beside_another,
        in_a_tracing_context,
        in_a_traceable,
        below_a_run_of_langsmiths_own,
        with_more_configurable,
    ],
    ids=lambda it: it.__name__,
)
def test_langsmith_is_told_of_a_handoff_what_it_is_told_of_any_run_there(body: Any, traced: Traced) -> None:
    run_in_a_node(body)
    server = traced.sent()
    [run], [beside] = server.find("handoff:prepare"), server.find("beside")
    metadata = {key: value for key, value in run["extra"]["metadata"].items() if not key.startswith("crux_")}
    assert metadata == beside["extra"]["metadata"]
    assert set(run["tags"]) == {*beside["tags"], "crux"}
    assert run["parent_run_id"] == beside["parent_run_id"]


def test_a_handler_is_told_of_a_handoff_what_it_is_told_of_any_run_there(seen: Seen) -> None:
    run_in_a_node(crosses_beside_another, callbacks=[seen])
    run, beside = seen.told("handoff:prepare"), seen.told("beside")
    metadata = {key: value for key, value in run["metadata"].items() if not key.startswith("crux_")}
    assert metadata == beside["metadata"]
    assert metadata["model"] == "m"
    assert run["parent_run_id"] == beside["parent_run_id"]
