"""A delegate called by hand: arguments, context, subagent, return, output, each with the error of its layer."""

import asyncio
import pickle
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import is_invalid_resume
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt
from pydantic import BaseModel, ValidationError
from support import Brief, Call, Research, State, to_brief
from typing_extensions import TypedDict

from crux_langgraph import Delegate, Private, RepairRequest, delegate, errors, handoff

CONTRACT = handoff(id="a-to-b")(to_brief)


@dataclass
class Ctx:
    user: str


class TypedCtx(TypedDict):
    user: str


@delegate(handoff=CONTRACT)
def research(question: str, depth: int = 1) -> Research:
    """Look into a question."""
    return Research(question=question, findings=["found"] * depth)


@delegate(handoff=CONTRACT, context_schema=Ctx)
def whoami(*, context: Ctx, config: RunnableConfig) -> Research:
    """Say who asks."""
    return Research(question=context.user, findings=[str(config.get("metadata", {}).get("from"))])


def returning(*returned: Any, **options: Any) -> tuple[Delegate[Any, Any], list[RepairRequest | None]]:
    """A delegate that returns these in turn, and the repair requests that it was given."""
    asked: list[RepairRequest | None] = []

    def subagent(*, repair: RepairRequest | None = None) -> Research:
        asked.append(repair)
        value = returned[len(asked) - 1]
        if isinstance(value, BaseException):
            raise value
        return value

    return delegate(**{"handoff": CONTRACT, **options})(subagent), asked


async def test_a_result_holds_the_output_and_what_it_took(call: Call) -> None:
    result = await call.run(research, {"question": "Why?"})
    assert (result.delegate_id, result.data, result.summary) == ("research", Brief(task="Why?", facts=["found"]), None)
    assert result.payload.handoff == "a-to-b"
    assert 0 < result.subagent_duration_s < result.duration_s
    assert (result.repairs, result.usage) == (0, {})


async def test_arguments_come_as_a_mapping_an_instance_or_json_text(call: Call) -> None:
    for given in ({"question": "q"}, research.args_schema(question="q"), '{"question": "q"}'):
        assert (await call.run(research, given)).data.task == "q"


async def test_an_async_function_is_awaited() -> None:
    @delegate(handoff=CONTRACT)
    async def subagent(question: str) -> Research:
        await asyncio.sleep(0)
        return Research(question=question)

    assert (await subagent.arun({"question": "q"})).data.task == "q"
    with pytest.raises(errors.WrongWayError, match=r"await delegate\.arun"):
        subagent.run({"question": "q"})


async def test_an_async_handoff_is_refused_on_the_sync_way_before_the_subagent_starts() -> None:
    @handoff
    async def slowly(research: Research) -> Brief:
        return Brief(task=research.question)

    made, asked = returning(Research(question="q"), handoff=slowly)
    with pytest.raises(errors.WrongWayError, match="slowly"):
        made.run({})
    assert asked == []
    assert (await made.arun({})).data.task == "q"


async def test_bad_arguments_name_the_fields_and_no_values(call: Call) -> None:
    with pytest.raises(errors.ArgumentsError) as caught:
        await call.run(research, {"question": 1, "depth": "secret", "more": 2})
    assert str(caught.value) == (
        "delegate 'research' (layer: arguments): the arguments are not what it takes\n"
        "  question: expected a valid string, found int\n"
        "  depth: expected a valid integer, unable to parse string as an integer, found str\n"
        "  more: expected no field of this name, found int\n"
        "Call it again with the arguments that its schema describes. The subagent was not started."
    )
    assert (caught.value.delegate, caught.value.layer) == ("research", "arguments")
    assert caught.value.__suppress_context__


async def test_the_context_reaches_the_function(call: Call) -> None:
    assert (await call.run(whoami, {}, context=Ctx("ada"))).data.task == "ada"


@pytest.mark.parametrize("context, came", [(None, "none came"), ({"user": "ada"}, "a dict came")])
async def test_a_context_that_is_not_the_declared_one_stops_before_the_subagent(
    call: Call, context: Any, came: str
) -> None:
    with pytest.raises(errors.ContextError, match=f"of type Ctx, and {came}") as caught:
        await call.run(whoami, {}, context=context)
    assert "ada" not in str(caught.value)


async def test_a_typed_dict_context_is_checked_by_its_keys(call: Call) -> None:
    @delegate(handoff=CONTRACT, context_schema=TypedCtx)
    def typed(*, context: TypedCtx) -> Research:
        return Research(question=context["user"])

    assert (await call.run(typed, {}, context={"user": "ada"})).data.task == "ada"
    with pytest.raises(errors.ContextError, match="TypedCtx"):
        await call.run(typed, {}, context={})


async def test_an_optional_context_may_be_missing_and_not_be_another(call: Call) -> None:
    @delegate(handoff=CONTRACT, context_schema=Ctx)
    def optional(*, context: Ctx | None = None) -> Research:
        return Research(question=context.user if context else "nobody")

    assert (await call.run(optional, {})).data.task == "nobody"
    with pytest.raises(errors.ContextError, match="a str came"):
        await call.run(optional, {}, context="ada")


async def test_in_a_node_the_graphs_context_and_config_reach_the_function(call: Call) -> None:
    def node(_: Any, runtime: Runtime[Ctx]) -> dict[str, Any]:
        return {"seen": whoami.run({}, context=runtime.context).data.model_dump()}

    def bare(_: Any) -> dict[str, Any]:
        return {"found": whoami.run({}).data.model_dump()}  # type: ignore[call-overload]

    builder: Any = StateGraph(State, context_schema=Ctx)
    builder.add_node("node", node)
    builder.add_node("bare", bare)
    builder.add_edge(START, "node")
    builder.add_edge("node", "bare")
    builder.add_edge("bare", END)
    out = await call(builder.compile(), {}, {"metadata": {"from": "here"}}, context={"user": "ada"})
    assert out["seen"] == out["found"] == {"task": "ada", "facts": ["here"]}


async def test_a_subagent_that_raises_is_named_with_its_error_chained(call: Call) -> None:
    made, _ = returning(KeyError("secret"))
    with pytest.raises(errors.SubagentError, match="subagent raised KeyError") as caught:
        await call.run(made, {})
    assert isinstance(caught.value.original, KeyError)
    assert caught.value.__cause__ is caught.value.original
    assert errors.is_retryable(caught.value)
    assert "secret" not in str(caught.value)


async def test_a_validation_error_inside_the_subagent_does_not_leave_the_delegate(call: Call) -> None:
    @delegate(handoff=CONTRACT)
    def subagent() -> Research:
        return Research.model_validate({"question": 1})

    with pytest.raises(errors.SubagentError, match="built a Research that is not valid") as caught:
        await call.run(subagent, {})
    assert [problem.path for problem in caught.value.problems] == ["question"]
    assert caught.value.__cause__ is None
    assert not errors.is_retryable(caught.value)


async def test_a_wrong_return_keeps_what_was_returned(call: Call) -> None:
    made, asked = returning({"question": "q", "findings": "secret"}, max_repairs=0)
    with pytest.raises(errors.ReturnError, match=r"findings: expected a valid list, found str") as caught:
        await call.run(made, {})
    assert caught.value.returned == {"question": "q", "findings": "secret"}
    assert (caught.value.layer, caught.value.repairs, len(asked)) == ("return", 0, 1)
    assert "secret" not in str(caught.value)
    assert not errors.is_retryable(caught.value)


async def test_a_wrong_return_can_be_repaired_once(call: Call) -> None:
    made, asked = returning({"question": 1}, {"question": "q"})
    result = await call.run(made, {})
    assert (result.data.task, result.repairs) == ("q", 1)
    [none, request] = asked
    assert none is None
    assert request is not None
    assert (request.attempt, request.expected, request.returned) == (1, "Research", {"question": 1})
    assert request.message == (
        "Your answer is not a valid Research:\n- question: expected a valid string, found int\n"
        "Answer again with a complete, valid Research."
    )
    assert "returned" not in repr(request)


async def test_a_repair_runs_with_the_arguments_as_they_came(call: Call) -> None:
    seen: list[list[str]] = []

    @delegate(handoff=CONTRACT)
    def subagent(items: list[str], *, repair: RepairRequest | None = None) -> Research:
        seen.append([*items])
        items.clear()
        return Research(question="q") if repair else {}  # type: ignore[return-value]

    await call.run(subagent, {"items": ["one"]})
    assert seen == [["one"], ["one"]]


async def test_repairs_are_bounded(call: Call) -> None:
    made, asked = returning({"question": 1}, {"question": 2}, {"question": 3}, {"question": 4}, max_repairs=2)
    with pytest.raises(errors.ReturnError, match="after 2 repairs is not a valid Research") as caught:
        await call.run(made, {})
    assert (len(asked), caught.value.repairs, caught.value.returned) == (3, 2, {"question": 3})


async def test_the_same_wrong_return_is_not_sent_back_again(call: Call) -> None:
    made, asked = returning({"question": 1}, {"question": 1}, {"question": "q"}, max_repairs=5)
    with pytest.raises(errors.ReturnError, match=r"after 1 repair is not.*\n.*\nIt gave the same again"):
        await call.run(made, {})
    assert len(asked) == 2


async def test_a_return_whose_equality_raises_is_not_the_same(call: Call) -> None:
    class Odd:
        def __eq__(self, other: object) -> bool:
            raise ZeroDivisionError

        __hash__ = None

    made, asked = returning(Odd(), Odd(), {"question": "q"}, max_repairs=2)
    assert (await call.run(made, {})).data.task == "q"
    assert len(asked) == 3


async def test_a_failing_handoff_keeps_what_was_returned(call: Call) -> None:
    @handoff
    def fails(research: Research) -> Brief:
        raise ZeroDivisionError

    made, asked = returning(Research(question="q"), handoff=fails)
    with pytest.raises(errors.DeliveryError, match="handoff 'fails' failed at its layer 'transform'") as caught:
        await call.run(made, {})
    assert isinstance(caught.value.original, errors.TransformError)
    assert caught.value.__cause__ is caught.value.original
    assert (caught.value.returned, caught.value.layer, len(asked)) == (Research(question="q"), "output", 1)
    assert errors.is_retryable(caught.value)


async def test_a_bad_output_is_never_sent_back_to_the_subagent(call: Call) -> None:
    @handoff
    def wrong(research: Research) -> Brief:
        return research

    made, asked = returning(Research(question="q"), Research(question="q"), handoff=wrong, max_repairs=3)
    with pytest.raises(errors.DeliveryError, match="found Research"):
        await call.run(made, {})
    assert len(asked) == 1


async def test_a_private_value_is_in_no_error(call: Call) -> None:
    class Secret(BaseModel):
        token: Annotated[dict[str, int], Private()]

    @handoff
    def passes(secret: Secret) -> Secret:
        return secret

    @delegate(handoff=passes)
    def subagent() -> Secret:
        return Secret.model_validate({"token": {"hunter2": "hunter3"}})

    with pytest.raises(errors.SubagentError) as caught:
        await call.run(subagent, {})
    assert "hunter" not in str(caught.value)


def test_an_error_can_be_pickled_without_what_it_holds() -> None:
    made, _ = returning({"question": 1}, max_repairs=0)
    with pytest.raises(errors.ReturnError) as caught:
        made.run({})
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.repairs, copy.returned, copy.original) == (str(caught.value), 0, None, None)


async def test_control_flow_leaves_a_task_group_of_the_subagent() -> None:
    @delegate(handoff=CONTRACT)
    async def asks() -> Research:
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(asked("which?"))
        return Research(question=asking.result())

    async def node(_: Any) -> dict[str, Any]:
        return {"seen": (await asks.arun({})).data.model_dump()}

    builder: Any = StateGraph(State)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    graph = builder.compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    out = await graph.ainvoke({}, config)
    assert [one.value for one in out["__interrupt__"]] == ["which?"]
    assert (await graph.ainvoke(Command(resume="that"), config))["seen"]["task"] == "that"


async def asked(question: str) -> str:
    return interrupt(question)


async def test_a_failure_in_a_task_group_is_the_subagents() -> None:
    @delegate(handoff=CONTRACT)
    async def fails() -> Research:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.wait_for(asyncio.Event().wait(), 0.01))
        raise NotImplementedError

    with pytest.raises(errors.SubagentError, match="raised ExceptionGroup"):
        await fails.arun({})


async def test_an_invalid_answer_to_an_interrupt_passes_through(call: Call) -> None:
    @delegate(handoff=CONTRACT)
    def asks() -> Research:
        return interrupt("which?", response_schema=Research)

    builder: Any = StateGraph(State)
    builder.add_node("node", lambda _: {"seen": asks.run({}).data.model_dump()})
    builder.add_edge(START, "node")
    graph = builder.compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    assert "__interrupt__" in await call(graph, {}, config)
    with pytest.raises(ValidationError) as caught:
        await call(graph, Command(resume={"question": 1}), config)
    assert is_invalid_resume(caught.value)
    out = await call(graph, Command(resume={"question": "q"}), config)
    assert out["seen"]["task"] == "q"


async def test_a_function_that_returns_nothing_is_told_to_return(call: Call) -> None:
    made, _ = returning(None, max_repairs=0)
    with pytest.raises(errors.ReturnError, match="Have the function return it, or give the graph a response_format"):
        await call.run(made, {})
