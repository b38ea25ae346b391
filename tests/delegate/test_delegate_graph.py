"""Whole graphs as subagents: what they are sent, what is read from their end, and how they repair it."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.runtime import Runtime
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel, RootModel
from support import Brief, Call, Research, ScriptedModel, calling, to_brief
from typing_extensions import TypedDict

from crux_langgraph import Delegate, errors, handoff

CONTRACT = handoff(id="a-to-b")(to_brief)


@dataclass
class Ctx:
    user: str


class Ask(BaseModel):
    question: str


class AskMore(Ask):
    depth: int = 1


class Answered(MessagesState, total=False):
    structured_response: Any
    note: str


def answering(*answers: Any, state: Any = Answered, **compiled: Any) -> tuple[Any, list[Any]]:
    """A graph whose runs end with these structured responses in turn, and the states that it was given."""
    given: list[Any] = []

    def node(state: Any) -> dict[str, Any]:
        given.append(state)
        answer = answers[len(given) - 1]
        return {"structured_response": answer, "messages": [AIMessage(f"answer {len(given)}")], "note": "kept"}

    builder: Any = StateGraph(state)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    return builder.compile(name="asked", **compiled), given


def made_of(graph: Any, **options: Any) -> Delegate[Any, Any, Any, Any]:
    return Delegate.from_graph(graph, **{"handoff": CONTRACT, "args_schema": Ask, "description": "Ask.", **options})


async def test_an_agents_structured_response_is_handed_over(call: Call) -> None:
    structured = {"name": "Research", "args": {"question": "q", "findings": ["f"]}, "id": "1", "type": "tool_call"}
    model = ScriptedModel(replies=[calling(structured)])
    agent = create_agent(model, tools=[], response_format=ToolStrategy(Research), name="researcher")
    made = made_of(agent)
    result = await call.run(made, {"question": "Why?"})
    assert result.data == Brief(task="q", facts=["f"])
    assert [message.content for message in model.sent[0]] == ["Why?"]
    assert (made.id, made.__name__, made.description, made.max_repairs) == ("researcher", "researcher", "Ask.", 1)


async def test_a_structured_response_that_an_agent_gives_up_on_is_the_subagents_failure(call: Call) -> None:
    wrong = calling({"name": "Research", "args": {"question": 1}, "id": "1", "type": "tool_call"})
    agent = create_agent(
        ScriptedModel(replies=[wrong]),
        tools=[],
        response_format=ToolStrategy(Research, handle_errors=False),
        name="researcher",
    )
    with pytest.raises(errors.SubagentError, match="raised StructuredOutputValidationError"):
        await call.run(made_of(agent), {"question": "Why?"})


async def test_a_structured_response_that_a_model_forgets_is_asked_for_again(call: Call) -> None:
    def look(text: str) -> str:
        """Look."""
        raise NotImplementedError

    structured = {"name": "Research", "args": {"question": "q"}, "id": "1", "type": "tool_call"}
    model = ScriptedModel(replies=["I am done.", calling(structured)])
    agent = create_agent(model, tools=[look], response_format=ToolStrategy(Research), name="researcher")
    result = await call.run(made_of(agent), {"question": "Why?"})
    assert (result.data.task, result.repairs) == ("q", 1)
    assert "found NoneType" in model.sent[1][-1].text


async def test_a_graph_has_the_name_that_its_delegate_is_given() -> None:
    graph, _ = answering(Research(question="q"))
    made = made_of(graph, id="web-search")
    assert (made.id, made.as_tool().name, made.as_tool().description) == ("web-search", "web_search", "Ask.")
    assert (made.__doc__, made({"messages": []})["note"]) == ("Ask.", "kept")
    unnamed: Any = StateGraph(MessagesState)
    unnamed.add_node("node", lambda _: {})
    unnamed.add_edge(START, "node")
    with pytest.raises(errors.DefinitionError, match="no name of its own"):
        made_of(unnamed.compile(), output="text")


@pytest.mark.parametrize(
    "prompt, sent",
    [
        (None, ["Why?"]),
        (lambda asked: f"Please: {asked.question}", ["Please: Why?"]),
        (lambda asked: HumanMessage(asked.question), ["Why?"]),
        (lambda asked: [HumanMessage("one"), HumanMessage("two")], ["one", "two"]),
        (lambda asked: {"messages": ["mapped"], "note": "mine"}, ["mapped"]),
    ],
)
async def test_arguments_become_messages(call: Call, prompt: Any, sent: list[str]) -> None:
    graph, given = answering(Research(question="q"))
    await call.run(made_of(graph, prompt=prompt), {"question": "Why?"})
    assert [message.content for message in given[0]["messages"]] == sent


async def test_several_arguments_become_one_json_message(call: Call) -> None:
    graph, given = answering(Research(question="q"))
    await call.run(made_of(graph, args_schema=AskMore), {"question": "Why?"})
    assert given[0]["messages"][0].content == '{\n  "question": "Why?",\n  "depth": 1\n}'


async def test_a_graph_without_messages_takes_the_arguments_as_its_input(call: Call) -> None:
    class Plain(TypedDict, total=False):
        question: str
        found: Any

    builder: Any = StateGraph(Plain)
    builder.add_node("node", lambda state: {"found": {"question": state["question"] + "!"}})
    builder.add_edge(START, "node")
    graph = builder.compile(name="plain")
    made = made_of(graph, output=lambda state: state["found"])
    assert ((await call.run(made, {"question": "q"})).data.task, made.max_repairs) == ("q!", 0)
    for options, said in [
        ({"args_schema": AskMore}, "no input depth"),
        ({"max_repairs": 1}, "a graph needs a `messages` input"),
        ({"output": "text"}, "the graph gives no 'messages'"),
    ]:
        with pytest.raises(errors.DefinitionError, match=said):
            made_of(graph, **{"output": lambda state: state["found"], **options})


@pytest.mark.parametrize(
    "text", ['{"question": "q"}', 'Here it is:\n```json\n{"question": "q"}\n```\nDone.', '```\n{"question": "q"}\n```']
)
async def test_text_is_read_as_json_only_when_asked(call: Call, text: str) -> None:
    def node(_: Any) -> dict[str, Any]:
        return {"messages": [AIMessage(text), HumanMessage("later")]}

    builder: Any = StateGraph(MessagesState)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    graph = builder.compile(name="texts")
    assert (await call.run(made_of(graph, output="text"), {"question": ""})).data.task == "q"
    with pytest.raises(errors.DefinitionError, match="the graph gives no 'structured_response'"):
        made_of(graph)


async def test_no_answer_at_all_is_a_wrong_return(call: Call) -> None:
    builder: Any = StateGraph(MessagesState)
    builder.add_node("node", lambda _: {})
    builder.add_edge(START, "node")
    made = made_of(builder.compile(name="silent"), output="text", max_repairs=0)
    with pytest.raises(errors.ReturnError, match="expected JSON text"):
        await call.run(made, {"question": ""})


@pytest.mark.parametrize("missing", [None, {}])
async def test_a_missing_structured_response_is_a_wrong_return(call: Call, missing: Any) -> None:
    graph, _ = answering(missing, missing)
    with pytest.raises(errors.ReturnError, match="after 1 repair is not a valid Research") as caught:
        await call.run(made_of(graph), {"question": "q"})
    kept: Any = caught.value.returned
    assert kept["structured_response"] == missing
    assert [message.text for message in kept["messages"]][::2][:1] == ["q"]
    assert kept["messages"][-1].text == "answer 2"


async def test_a_wrong_return_is_repaired_in_the_same_conversation(call: Call) -> None:
    graph, given = answering({"question": 1}, Research(question="q"))
    result = await call.run(made_of(graph), {"question": "Why?"})
    assert (result.data.task, result.repairs, len(given)) == ("q", 1, 2)
    asked, answer, request = given[1]["messages"]
    assert (asked.content, answer.content) == ("Why?", "answer 1")
    assert "question: expected a valid string, found int" in request.content
    assert (given[1]["note"], "structured_response" in given[1]) == ("kept", False)


async def test_repairs_of_a_graph_are_bounded(call: Call) -> None:
    graph, given = answering({"question": 1}, {"question": 2}, Research(question="q"))
    with pytest.raises(errors.ReturnError):
        await call.run(made_of(graph), {"question": "Why?"})
    assert len(given) == 2


async def test_two_calls_of_one_delegate_share_no_conversation(call: Call) -> None:
    graph, given = answering(Research(question="1"), Research(question="2"))
    made = made_of(graph)
    await call.run(made, {"question": "one"})
    await call.run(made, {"question": "two"})
    assert [message.content for message in given[1]["messages"]] == ["two"]


async def test_an_explicit_recursion_limit_beats_the_agents_own(call: Call, users_may_block: None) -> None:
    def again(text: str) -> str:
        """Go on."""
        return text

    model = ScriptedModel(replies=[calling({"name": "again", "args": {"text": "x"}, "id": "1", "type": "tool_call"})])
    agent = create_agent(model, tools=[again], name="endless")
    with pytest.raises(errors.SubagentError, match="raised GraphRecursionError"):
        await call.run(made_of(agent, output="text", recursion_limit=7), {"question": "q"})
    assert len(model.sent) == 4


async def test_a_graph_that_gives_no_messages_back_has_no_conversation_to_repair_in(call: Call) -> None:
    class Found(TypedDict):
        structured_response: Any

    builder: Any = StateGraph(Answered, input_schema=MessagesState, output_schema=Found)
    builder.add_node("node", lambda _: {"structured_response": {"question": 1}})
    builder.add_edge(START, "node")
    made = made_of(builder.compile(name="mute"))
    with pytest.raises(errors.ReturnError, match="question: expected a valid string"):
        await call.run(made, {"question": "q"})
    assert made.max_repairs == 0


@pytest.mark.parametrize("prompted", [None, 1, iter(())])
async def test_a_prompt_that_makes_no_input_is_named(call: Call, prompted: Any) -> None:
    graph, given = answering()
    kind = type(prompted).__name__
    with pytest.raises(errors.SubagentError, match=f"asked was given a {kind} by its prompt\nHave prompt= return"):
        await call.run(made_of(graph, prompt=lambda _: prompted), {"question": "q"})
    assert given == []


async def test_a_checkpointer_of_the_graphs_own_is_not_used(call: Call) -> None:
    saver = InMemorySaver()
    graph, given = answering(Research(question="1"), Research(question="2"), checkpointer=saver)
    made = made_of(graph)
    assert (await call.run(made, {"question": "q"})).data.task == "1"
    outer: Any = StateGraph(Answered)
    outer.add_node("calls", outer_node(made, call))
    outer.add_edge(START, "calls")
    assert (await call(outer.compile(), {"messages": []}, {"configurable": {"thread_id": "1"}}))["note"] == "2"
    assert list(saver.list(None)) == []
    assert len(given[1]["messages"]) == 1


async def test_a_graph_without_checkpoints_resumes_from_its_start(call: Call) -> None:
    ran: list[str] = []

    def first(_: Any) -> dict[str, Any]:
        ran.append("first")
        return {}

    builder: Any = StateGraph(Answered)
    builder.add_node("first", first)
    builder.add_node("second", lambda _: {"structured_response": {"question": interrupt("which?")}})
    builder.add_edge(START, "first")
    builder.add_edge("first", "second")
    made = made_of(builder.compile(name="asks", checkpointer=False))
    outer: Any = StateGraph(Answered)
    outer.add_node("calls", outer_node(made, call))
    outer.add_edge(START, "calls")
    graph = outer.compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    assert "__interrupt__" in await call(graph, {"messages": []}, config)
    assert (await call(graph, Command(resume="that"), config))["note"] == "that"
    assert ran == ["first", "first"]


async def test_the_context_is_threaded_through_the_graph(call: Call) -> None:
    def node(_: Any, runtime: Runtime[Ctx]) -> dict[str, Any]:
        return {"structured_response": {"question": runtime.context.user}}

    builder: Any = StateGraph(Answered, context_schema=Ctx)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    made = made_of(builder.compile(name="who"))
    assert made.context_schema is Ctx
    assert (await call.run(made, {"question": ""}, context=Ctx("ada"))).data.task == "ada"
    with pytest.raises(errors.ContextError, match="none came"):
        await call.run(made, {"question": ""})
    model = ScriptedModel(
        replies=[calling({"name": "who", "args": {"question": ""}, "id": "1", "type": "tool_call"}), "x"]
    )
    agent = create_agent(model, tools=made.as_tools(), context_schema=Ctx)
    out = await call(agent, {"messages": ["go"]}, context=Ctx("bob"))
    assert made.result(out["messages"][-2]).data.task == "bob"


async def test_only_a_partial_config_is_passed_on_so_a_subagent_keeps_its_own_name(call: Call) -> None:
    seen: list[Any] = []

    def note(config: RunnableConfig) -> str:
        """Note it."""
        seen.append(config["metadata"])
        return "noted"

    asks = calling({"name": "note", "args": {}, "id": "1", "type": "tool_call"})
    inner = create_agent(ScriptedModel(replies=[asks, '{"question": "q"}']), tools=[note], name="inner")
    made = made_of(inner, output="text")
    tool_call = {"name": "inner", "args": {"question": ""}, "id": "1", "type": "tool_call"}
    outer = create_agent(ScriptedModel(replies=[calling(tool_call), "x"]), tools=made.as_tools(), name="outer")
    await call(outer, {"messages": ["go"]}, {"metadata": {"mine": 1}})
    assert (seen[0]["mine"], seen[0]["lc_agent_name"]) == (1, "inner")


@pytest.mark.parametrize("parent_commands", ["refuse", "pass"])
async def test_a_parent_command_of_the_graph_is_refused_unless_allowed(call: Call, parent_commands: str) -> None:
    builder: Any = StateGraph(Answered)
    builder.add_node("node", lambda _: Command(graph=Command.PARENT, goto="other"))
    builder.add_edge(START, "node")
    made = made_of(builder.compile(name="steers"), parent_commands=parent_commands)
    outer: Any = StateGraph(Answered)
    outer.add_node("calls", outer_node(made, call), destinations=("other",))
    outer.add_node("other", lambda _: {"note": "steered"})
    outer.add_edge(START, "calls")
    if parent_commands == "pass":
        assert (await call(outer.compile(), {"messages": []}))["note"] == "steered"
        return
    with pytest.raises(errors.SubagentError, match=r"steered its caller by Command\(graph=PARENT\)"):
        await call(outer.compile(), {"messages": []})


def outer_node(made: Any, call: Call) -> Any:
    async def awaited(_: Any) -> dict[str, Any]:
        return {"note": (await made.arun({"question": ""})).data.task}

    return awaited if call.is_async else lambda _: {"note": made.run({"question": ""}).data.task}


async def test_an_interrupt_resumes_without_running_finished_work_twice(call: Call) -> None:
    ran: list[str] = []

    def first(_: Any) -> dict[str, Any]:
        ran.append("first")
        return {}

    def second(_: Any) -> dict[str, Any]:
        return {"structured_response": {"question": interrupt("which?")}}

    builder: Any = StateGraph(Answered)
    builder.add_node("first", first)
    builder.add_node("second", second)
    builder.add_edge(START, "first")
    builder.add_edge("first", "second")
    made = made_of(builder.compile(name="asks"))
    model = ScriptedModel(
        replies=[calling({"name": "asks", "args": {"question": ""}, "id": "1", "type": "tool_call"}), "x"]
    )
    agent = create_agent(model, tools=made.as_tools(), checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    out = await call(agent, {"messages": ["go"]}, config)
    assert out["__interrupt__"][0].value == "which?"
    out = await call(agent, Command(resume="that"), config)
    assert made.result(out["messages"][-2]).data.task == "that"
    assert ran == ["first"]


def of_create_agent(made: Any, asked: AIMessage) -> Any:
    return create_agent(ScriptedModel(replies=[asked, "x"]), tools=made.as_tools(), checkpointer=InMemorySaver())


def of_ones_own(made: Any, asked: AIMessage) -> Any:
    """A ToolNode that is sent each call by itself."""
    builder: Any = StateGraph(MessagesState)
    builder.add_node("model", lambda _: {"messages": [asked]})
    builder.add_node("tools", ToolNode(made.as_tools()))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", lambda _: [Send("tools", [one]) for one in asked.tool_calls], ["tools"])
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("graph_of", [of_create_agent, of_ones_own])
async def test_three_calls_of_one_graph_are_resumed_each_with_its_own_answer(call: Call, graph_of: Any) -> None:
    ran: list[str] = []

    def first(state: Any) -> dict[str, Any]:
        ran.append(state["messages"][0].text)
        return {}

    def second(state: Any) -> dict[str, Any]:
        asked = state["messages"][0].text
        return {"structured_response": {"question": f"{asked} {interrupt(asked)}"}}

    builder: Any = StateGraph(Answered)
    builder.add_node("first", first)
    builder.add_node("second", second)
    builder.add_edge(START, "first")
    builder.add_edge("first", "second")
    made = made_of(builder.compile(name="asks"))
    calls = [{"name": "asks", "args": {"question": one}, "id": one, "type": "tool_call"} for one in "abc"]
    agent = graph_of(made, calling(*calls))
    config = {"configurable": {"thread_id": "1"}}
    out = await call(agent, {"messages": ["go"]}, config)
    resume = {one.id: f"to {one.value}" for one in out["__interrupt__"]}
    out = await call(agent, Command(resume=resume), config)
    assert [made.result(message).data.task for message in out["messages"][2:5]] == ["a to a", "b to b", "c to c"]
    assert sorted(ran) == ["a", "b", "c"]


async def test_an_interrupt_with_no_graph_around_is_an_error_with_the_way_out(call: Call) -> None:
    builder: Any = StateGraph(Answered)
    builder.add_node("node", lambda _: {"structured_response": interrupt("which?")})
    builder.add_edge(START, "node")
    with pytest.raises(errors.SubagentError, match="was interrupted where no graph around it can be resumed"):
        await call.run(made_of(builder.compile(name="asks")), {"question": ""})


async def test_a_time_limit_of_a_graph_has_only_the_async_way() -> None:
    async def slow(_: Any) -> dict[str, Any]:
        await asyncio.sleep(10)
        raise NotImplementedError

    builder: Any = StateGraph(Answered)
    builder.add_node("node", slow)
    builder.add_edge(START, "node")
    made = made_of(builder.compile(name="slow"), timeout_s=0.05)
    with pytest.raises(errors.TimeLimitError):
        await made.arun({"question": ""})
    with pytest.raises(errors.WrongWayError):
        made.run({"question": ""})


async def awaited(given: Any) -> Any:
    raise NotImplementedError


@pytest.mark.parametrize(
    "options, said",
    [
        ({"output": "answer"}, "its output is 'answer'"),
        ({"output": lambda: None}, "Give output= a function of the graph's final state"),
        ({"output": awaited}, "its output awaited is asynchronous"),
        ({"prompt": "Look into {question}"}, "Give prompt= a function of the args_schema"),
        ({"prompt": lambda: ""}, "its prompt cannot be called with one value"),
        ({"prompt": awaited}, "its prompt awaited is asynchronous"),
        ({"recursion_limit": 0}, "recursion_limit is 0"),
        ({"parent_commands": "allow"}, "parent_commands is 'allow'"),
        ({"args_schema": RootModel[str]}, "is a RootModel"),
        ({"id": "Not-an-id"}, "its id would be 'Not-an-id'"),
    ],
)
def test_an_option_of_a_graph_that_cannot_be_is_refused(options: dict[str, Any], said: str) -> None:
    graph, _ = answering()
    with pytest.raises(errors.DefinitionError, match=said):
        made_of(graph, **options)


def test_a_graph_with_one_memory_for_all_calls_is_refused_with_the_reason() -> None:
    graph, _ = answering(checkpointer=True)
    with pytest.raises(errors.DefinitionError, match="parallel calls would share one memory"):
        made_of(graph)


def test_what_is_no_compiled_graph_is_refused() -> None:
    for given in (StateGraph(Answered), RunnableLambda(lambda x: x)):
        with pytest.raises(errors.DefinitionError, match="which is no compiled StateGraph"):
            made_of(given)


async def test_a_repair_after_an_interrupt_may_interrupt_again_and_both_resume_in_order(call: Call) -> None:
    def asks(_: Any) -> dict[str, Any]:
        return {"structured_response": {"question": interrupt("which?")}}

    builder: Any = StateGraph(Answered)
    builder.add_node("asks", asks)
    builder.add_edge(START, "asks")
    made = made_of(builder.compile(name="asks"))
    tool_call = {"name": "asks", "args": {"question": ""}, "id": "1", "type": "tool_call"}
    model = ScriptedModel(replies=[calling(tool_call), "x"])
    agent = create_agent(model, tools=made.as_tools(), checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    await call(agent, {"messages": ["go"]}, config)
    out = await call(agent, Command(resume=1), config)
    assert out["__interrupt__"][0].value == "which?"
    out = await call(agent, Command(resume="that"), config)
    result = made.result(out["messages"][-2])
    assert (result.data.task, result.repairs, len(model.sent)) == ("that", 1, 2)
