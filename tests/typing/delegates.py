"""What type checkers see of delegates; never run. Each `type: ignore` is an error that they must report."""

from collections.abc import Mapping
from typing import Any, assert_type

from langchain_core.messages import ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langgraph.graph import MessagesState
from langgraph.graph.state import CompiledStateGraph
from pydantic import BaseModel

from crux_langgraph import Delegate, DelegateResult, Payload, RepairRequest, delegate, handoff


class Research(BaseModel):
    question: str


class Brief(BaseModel):
    task: str


class Ctx(BaseModel):
    user: str


class Ask(BaseModel):
    question: str


@handoff
def contract(research: Research) -> Brief:
    return Brief(task=research.question)


@handoff
async def slowly(research: Research) -> Brief:
    return Brief(task=research.question)


@delegate(handoff=contract)
def plain(question: str, depth: int = 1) -> Research:
    return Research(question=question * depth)


@delegate(handoff=slowly, context_schema=Ctx, args_schema=Ask, id="x", timeout_s=1, max_repairs=2, on_error="tell")
async def with_options(
    question: str, *, context: Ctx, config: RunnableConfig, repair: RepairRequest | None = None
) -> Research:
    return Research(question=f"{question} {context.user} {config} {repair}")


async def main(agent: CompiledStateGraph[MessagesState, None, Any, Any], asks: CompiledStateGraph[Any, Ctx]) -> None:
    assert_type(plain, Delegate[Research, Brief, None, Mapping[str, Any]])
    assert_type(with_options, Delegate[Research, Brief, Ctx, Ask])
    assert_type(plain.run({"question": "q"}), DelegateResult[Brief])
    assert_type(plain.run({"question": "q"}).data, Brief)
    assert_type(await plain.arun({}), DelegateResult[Brief])
    assert_type(await with_options.arun(Ask(question="q"), context=Ctx(user="u")), DelegateResult[Brief])
    assert_type(with_options.run({}, context=Ctx(user="u")).payload, Payload[Brief])
    assert_type(with_options.result(ToolMessage("", tool_call_id="1")).summary, str | None)
    assert_type(plain.as_tool(), BaseTool)
    assert_type(plain.as_tools(), list[BaseTool])
    of_graph = Delegate.from_graph(
        agent, handoff=contract, args_schema=Ask, prompt=lambda ask: ask.question, max_depth=2
    )
    assert_type(of_graph, Delegate[Research, Brief, None, Ask])
    with_context = Delegate.from_graph(asks, handoff=contract, args_schema=Ask, output="text")
    assert_type(with_context, Delegate[Research, Brief, Ctx, Ask])
    remote = Delegate.from_remote("http://127.0.0.1:2024", "far", handoff=contract, args_schema=Ask, timeout_s=2)
    assert_type(remote, Delegate[Research, Brief, None, Ask])
    assert_type(remote.run({"question": "q"}).data, Brief)
    for_users = Delegate.from_remote(
        "http://127.0.0.1:2024", "far", handoff=contract, args_schema=Ask, context_schema=Ctx, context_keys=["user"]
    )
    assert_type(for_users, Delegate[Research, Brief, Ctx, Ask])
    wide: DelegateResult[BaseModel] = of_graph.run(Ask(question="q"))
    print(wide)
    with_options.run({})  # type: ignore[call-arg] # pyright: ignore[reportCallIssue, reportArgumentType]
    with_options.run({}, context="ada")  # type: ignore[arg-type] # pyright: ignore[reportCallIssue, reportArgumentType]
    plain.run({}, context=Ctx(user="u"))  # type: ignore[call-overload] # pyright: ignore[reportCallIssue, reportArgumentType]
    of_graph.run(Research(question="q"))  # type: ignore[call-overload] # pyright: ignore[reportCallIssue, reportArgumentType]
    Delegate.from_remote("http://127.0.0.1:2024", "far", handoff=contract, args_schema=Ask, time_s=2)  # type: ignore[call-overload] # pyright: ignore[reportCallIssue]
    Delegate.from_graph(agent, handoff=contract, args_schema=Ask, max_depht=2)  # type: ignore[call-overload] # pyright: ignore[reportCallIssue]


@delegate(handoff=contract)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
def wrong_return(question: str) -> Brief:
    return Brief(task=question)


@delegate(handof=contract)  # type: ignore[call-arg, arg-type] # pyright: ignore[reportCallIssue, reportUntypedFunctionDecorator]
def wrong_option(question: str) -> Research:
    return Research(question=question)


@delegate  # type: ignore[call-arg, arg-type] # pyright: ignore[reportCallIssue, reportArgumentType, reportUntypedFunctionDecorator]
def without_handoff(question: str) -> Research:
    return Research(question=question)
