"""How `read` and `write` functions are called: with what they ask for, whatever kind of callable they are."""

import functools
import operator
from collections.abc import Callable
from typing import Any

import pytest
from langgraph.graph import StateGraph
from langgraph.runtime import Runtime
from support import GOOD, Call, State, make, two_agents

from crux_langgraph import HandoffNode, add_handoff, errors


def told(runtime: Any) -> dict[str, str]:
    return {"question": type(runtime).__name__}


def by_name(state: Any, runtime: Runtime[Any]) -> Any:
    return told(runtime)


def by_default(state: Any, runtime: Runtime[Any] | None = None) -> Any:
    return told(runtime)


def by_keyword(state: Any, *, runtime: Runtime[Any]) -> Any:
    return told(runtime)


def by_place(state: Any, rt: Any) -> Any:
    return told(rt)


class ByCall:
    def __call__(self, state: Any, runtime: Any) -> Any:
        return told(runtime)


READS: list[Callable[..., Any]] = [by_name, by_default, by_keyword, by_place, ByCall()]


@pytest.mark.parametrize("read", READS)
async def test_a_read_function_that_asks_for_the_runtime_gets_it(call: Call, read: Any) -> None:
    assert (await call(two_agents(make(), read=read).compile(), {}))["seen"]["task"] == "Runtime"


@pytest.mark.parametrize("read", READS)
async def test_outside_a_graph_the_runtime_is_none(call: Call, read: Any) -> None:
    (record,) = (await call(HandoffNode(make(), read=read), {}))["handoffs"].values()
    assert record["data"]["task"] == "NoneType"


async def test_a_second_parameter_with_a_default_of_its_own_keeps_it(call: Call) -> None:
    graph = two_agents(make(), read=lambda _, question="mine": {"question": question}).compile()
    assert (await call(graph, {}))["seen"]["task"] == "mine"


def at(key: str, state: Any) -> Any:
    return state[key]


@pytest.mark.parametrize(
    "read", [operator.itemgetter("found"), functools.partial(at, "found")], ids=["getter", "partial"]
)
async def test_callables_of_the_standard_library_can_read(call: Call, read: Any) -> None:
    assert (await call(two_agents(make(), read=read).compile(), {}))["seen"]["task"] == "Why?"


async def test_async_read_and_write_work_in_ainvoke_and_are_told_in_invoke(call: Call) -> None:
    async def read(state: Any, runtime: Any) -> Any:
        return state["found"]

    async def write(payload: Any, *, state: Any) -> Any:
        return {"found": [payload.data.task, state["found"]["question"]]}

    graph = two_agents(make(), read=read, write=write).compile()
    if call.is_async:
        assert (await call(graph, {}))["found"] == ["Why?", "Why?"]
    else:
        with pytest.raises(errors.WrongWayError, match=r"read\(\) is asynchronous"):
            await call(graph, {})


async def test_a_write_function_gets_the_state_by_a_default_too(call: Call) -> None:
    def write(payload: Any, state: Any = None) -> Any:
        return {"found": sorted(state)}

    assert (await call(two_agents(make(), write=write).compile(), {}))["found"] == ["found", "handoffs"]


def no_argument() -> Any:
    return GOOD


def three_arguments(one: Any, two: Any, three: Any) -> Any:
    return GOOD


def only_by_place(one: Any, two: Any, /) -> Any:
    return GOOD


@pytest.mark.parametrize("function", [no_argument, three_arguments, only_by_place])
@pytest.mark.parametrize("option", ["read", "write"])
def test_a_function_that_takes_other_arguments_is_refused_when_the_graph_is_built(option: str, function: Any) -> None:
    options = {"read": "found", option: function}
    with pytest.raises(errors.WiringError, match=f"its {option} function takes other arguments") as caught:
        add_handoff(StateGraph(State), make(), **options)
    assert [finding.code for finding in caught.value.findings] == ["bad-option"]
