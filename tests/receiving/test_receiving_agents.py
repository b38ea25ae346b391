"""`create_agent` agents that receive handoffs: what their model is sent, and what their graph keeps."""

import importlib
import sys
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import before_model, dynamic_prompt, wrap_model_call
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.types import Command, Send, interrupt
from support import GOOD, Call, Handoff, Research, ScriptedModel, make, to_brief

from crux_langgraph import Context, HandoffState, add_handoff, errors, handoff
from crux_langgraph.middleware import HandoffContext

THREAD = {"configurable": {"thread_id": "t"}}
ASKED: dict[str, Any] = {"messages": [HumanMessage("please find out", id="asked")]}


class State(MessagesState, HandoffState):
    found: Any


@tool
def look(at: str) -> str:
    """Look at something."""
    return f"saw {at}"


@tool
def ask(what: str) -> str:
    """Ask a person."""
    return str(interrupt(what))


def calling(name: str, call_id: str = "call-1", **arguments: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": call_id}])


def behind(*contracts: Handoff[Any, Any], receiver: Any, said: list[AnyMessage] | None = None, **options: Any) -> Any:
    """A graph in which `a` says something, hands over by all of the contracts, and the agent `b` receives."""
    builder: Any = StateGraph(State)
    builder.add_node("a", lambda _: {"found": GOOD, "messages": said or [AIMessage("found it", id="said")]})
    builder.add_node("b", receiver)
    builder.add_edge(START, "a")
    for contract in contracts:
        add_handoff(builder, contract, read="found", **options)
    builder.add_edge("b", END)
    return builder


def texts(sent: list[Any]) -> list[tuple[str, str]]:
    return [(message.type, message.text) for message in sent]


async def test_the_model_is_sent_the_brief_and_nothing_else(call: Call) -> None:
    contract, model = make(), ScriptedModel(replies=["done"])
    agent = create_agent(model, middleware=[HandoffContext(contract)])
    out = await call(behind(contract, receiver=agent).compile(), ASKED)
    assert texts(model.sent[0]) == [("human", contract.received(out).context)]


async def test_the_system_prompt_stays_beside_a_brief_that_stands_alone(call: Call) -> None:
    contract, model = make(), ScriptedModel(replies=["done"])
    agent = create_agent(model, system_prompt="Be brief.", middleware=[HandoffContext(contract)])
    out = await call(behind(contract, receiver=agent).compile(), ASKED)
    assert texts(model.sent[0]) == [("system", "Be brief."), ("human", contract.received(out).context)]


async def test_stored_state_is_untouched(call: Call) -> None:
    contract = make()
    agent = create_agent(ScriptedModel(replies=["done"]), middleware=[HandoffContext(contract)])
    graph = behind(contract, receiver=agent).compile(checkpointer=InMemorySaver())
    out = await call(graph, ASKED, THREAD)
    kept = graph.get_state(THREAD).values
    assert texts(kept["messages"]) == [("human", "please find out"), ("ai", "found it"), ("ai", "done")]
    assert set(kept) == set(out) == {"messages", "handoffs", "found"}
    assert len(kept["handoffs"]) == 1


async def test_an_agent_gives_back_neither_the_channel_nor_its_own_keys(call: Call) -> None:
    contract = make()
    agent = create_agent(ScriptedModel(replies=["done"]), middleware=[HandoffContext(contract)])
    envelope = contract.prepare(GOOD).to_envelope()
    assert set(await call(agent, {**ASKED, "handoffs": {envelope["id"]: envelope}})) == {"messages"}


async def test_in_a_tool_loop_the_calls_of_this_run_follow_the_brief(call: Call) -> None:
    contract, model = make(), ScriptedModel(replies=[calling("look", at="it"), calling("look", "2", at="that"), "done"])
    agent = create_agent(model, [look], middleware=[HandoffContext(contract)])
    out = await call(behind(contract, receiver=agent).compile(), ASKED)
    brief = ("human", contract.received(out).context)
    loop = [("ai", ""), ("tool", "saw it"), ("ai", ""), ("tool", "saw that")]
    assert [texts(sent) for sent in model.sent] == [[brief, *loop[:size]] for size in (0, 2, 4)]


async def test_the_brief_is_written_once_for_a_whole_tool_loop(call: Call) -> None:
    counted: list[str] = []

    def counter(text: str) -> int:
        counted.append(text)
        return len(text)

    contract = make()
    model = ScriptedModel(replies=[*(calling("look", str(turn), at="it") for turn in range(5)), "done"])
    receiving = HandoffContext(contract, counter=counter)
    agent = create_agent(model, [look], middleware=[receiving])
    counted.clear()
    out = await call(behind(contract, receiver=agent).compile(), ASKED)
    assert len(model.sent) == 6
    counts = counted.count(contract.received(out).context)
    receiving.brief(out)
    assert counted.count(contract.received(out).context) == counts


async def test_a_payload_that_was_mended_under_its_id_is_read_anew(call: Call) -> None:
    contract, model = make(), ScriptedModel(replies=["done"])
    agent = create_agent(model, middleware=[HandoffContext(contract)])
    graph = behind(contract, receiver=agent).compile(checkpointer=InMemorySaver(), interrupt_before=["b"])
    await call(graph, ASKED, THREAD)
    ((key, record),) = graph.get_state(THREAD).values["handoffs"].items()
    await call(graph, None, THREAD)
    graph.update_state(THREAD, {"handoffs": {key: {**record, "data": {"task": "Mended?"}}}}, as_node="a-to-b")
    await call(graph, None, THREAD)
    assert "Why?" in model.sent[0][0].text
    assert "Mended?" in model.sent[1][0].text


async def test_a_second_user_turn_is_answered_from_the_second_brief(call: Call) -> None:
    contract, model = make(), ScriptedModel(replies=["one", "two"])
    agent = create_agent(model, middleware=[HandoffContext(contract)])
    graph = behind(contract, receiver=agent).compile(checkpointer=InMemorySaver())
    first = contract.received(await call(graph, ASKED, THREAD))
    second = contract.received(await call(graph, {"messages": [HumanMessage("and then?")]}, THREAD))
    assert first.id != second.id
    assert [texts(sent) for sent in model.sent] == [[("human", first.context)], [("human", second.context)]]


async def test_on_its_own_thread_an_agent_goes_on_in_the_run_that_brought_the_brief(call: Call) -> None:
    contract, model = make(), ScriptedModel(replies=["one", "two", "three"])
    agent = create_agent(model, middleware=[HandoffContext(contract)], checkpointer=InMemorySaver())
    payload, later = contract.prepare(GOOD), contract.prepare(GOOD)
    await call(agent, {**ASKED, "handoffs": {payload.id: payload.to_envelope()}}, THREAD)
    await call(agent, {"messages": [HumanMessage("and then?")]}, THREAD)
    await call(agent, {"messages": [], "handoffs": {payload.id: None, later.id: later.to_envelope()}}, THREAD)
    brief = ("human", payload.context)
    assert texts(model.sent[0]) == [brief]
    assert texts(model.sent[1]) == [brief, ("ai", "one"), ("human", "and then?")]
    assert texts(model.sent[2]) == [("human", later.context)]


async def test_a_resumed_run_is_the_same_run(call: Call) -> None:
    contract, model = make(), ScriptedModel(replies=[calling("ask", what="Really?"), "done"])
    agent = create_agent(model, [ask], middleware=[HandoffContext(contract)])
    graph = behind(contract, receiver=agent).compile(checkpointer=InMemorySaver())
    await call(graph, ASKED, THREAD)
    out = await call(graph, Command(resume="yes"), THREAD)
    assert texts(model.sent[1]) == [("human", contract.received(out).context), ("ai", ""), ("tool", "yes")]


async def test_without_a_payload_the_request_is_unchanged(call: Call) -> None:
    model = ScriptedModel(replies=["done"])
    agent = create_agent(model, system_prompt="Be brief.", middleware=[HandoffContext(make())])
    await call(agent, ASKED)
    assert texts(model.sent[0]) == [("system", "Be brief."), ("human", "please find out")]


async def test_the_payload_of_another_handoff_is_not_this_agents(call: Call) -> None:
    other, model = make(id="other"), ScriptedModel(replies=["done"])
    agent = create_agent(model, middleware=[HandoffContext(make())])
    await call(behind(other, receiver=agent).compile(), ASKED)
    assert texts(model.sent[0]) == [("human", "please find out"), ("ai", "found it")]


async def test_with_the_history_kept_the_brief_ends_the_system_prompt(call: Call) -> None:
    contract, model = make(), ScriptedModel(replies=["done"])
    agent = create_agent(model, system_prompt="Be brief.", middleware=[HandoffContext(contract, history="keep")])
    out = await call(behind(contract, receiver=agent).compile(), ASKED)
    prompt = f"Be brief.\n\n{contract.received(out).context}"
    assert texts(model.sent[0]) == [("system", prompt), ("human", "please find out"), ("ai", "found it")]


@pytest.mark.parametrize("prompt", [None, ""])
async def test_without_a_system_prompt_the_brief_is_the_system_prompt(call: Call, prompt: str | None) -> None:
    contract, model = make(), ScriptedModel(replies=["done"])
    agent = create_agent(model, system_prompt=prompt, middleware=[HandoffContext(contract, history="keep")])
    out = await call(behind(contract, receiver=agent).compile(), ASKED)
    assert texts(model.sent[0])[0] == ("system", contract.received(out).context)


async def test_blocks_of_the_system_prompt_stay_as_they_are(call: Call) -> None:
    contract, model = make(), ScriptedModel(replies=["done"])
    block = {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}
    prompt = SystemMessage([block], additional_kwargs={"mark": 1})
    agent = create_agent(model, system_prompt=prompt, middleware=[HandoffContext(contract, history="keep")])
    out = await call(behind(contract, receiver=agent).compile(), ASKED)
    system = model.sent[0][0]
    assert system.content == [block, {"type": "text", "text": contract.received(out).context}]
    assert system.additional_kwargs == {"mark": 1}
    assert prompt.content == [block]


async def test_as_a_human_message_the_brief_comes_before_all_others(call: Call) -> None:
    contract, model = make(), ScriptedModel(replies=["done"])
    middleware = HandoffContext(contract, history="keep", as_="human")
    out = await call(behind(contract, receiver=create_agent(model, middleware=[middleware])).compile(), ASKED)
    brief = ("human", contract.received(out).context)
    assert texts(model.sent[0]) == [brief, ("human", "please find out"), ("ai", "found it")]


@pytest.mark.parametrize("history", ["hide", "since_handoff", "keep"])
async def test_a_brief_that_was_also_written_as_a_message_is_sent_once(call: Call, history: Any) -> None:
    contract, model = make(), ScriptedModel(replies=["done"])
    agent = create_agent(model, middleware=[HandoffContext(contract, history=history)])
    graph = behind(contract, receiver=agent, write="messages", history="replace").compile()
    out = await call(graph, ASKED)
    assert texts(model.sent[0]) == [("human", contract.received(out).context)]


def turning(contract: Handoff[Any, Any], agent: Any) -> Any:
    """A graph whose later turns go straight to `b`, as a router does that remembers who is active."""
    builder: Any = StateGraph(State)
    builder.add_node("a", lambda _: {"found": GOOD, "messages": [AIMessage("found it")]})
    builder.add_node("b", agent)
    builder.add_conditional_edges(START, lambda state: "b" if state.get("handoffs") else "a", ["a", "b"])
    add_handoff(builder, contract, read="found")
    return builder.compile(checkpointer=InMemorySaver())


async def test_since_the_handoff_shows_a_user_who_comes_straight_to_the_agent(call: Call) -> None:
    contract, model = make(), ScriptedModel(replies=["one", "two"])
    graph = turning(contract, create_agent(model, middleware=[HandoffContext(contract, history="since_handoff")]))
    await call(graph, ASKED, THREAD)
    out = await call(graph, {"messages": [HumanMessage("and then?")]}, THREAD)
    brief = ("human", contract.received(out).context)
    assert texts(model.sent[0]) == [brief]
    assert texts(model.sent[1]) == [brief, ("ai", "one"), ("human", "and then?")]


async def test_hiding_shows_only_the_run_also_when_a_router_leads_to_the_agent_again(call: Call) -> None:
    contract, model = make(), ScriptedModel(replies=["one", "two"])
    graph = turning(contract, create_agent(model, middleware=[HandoffContext(contract)]))
    await call(graph, ASKED, THREAD)
    out = await call(graph, {"messages": [HumanMessage("and then?")]}, THREAD)
    assert texts(model.sent[1]) == [("human", contract.received(out).context)]


def handed_over(contract: Handoff[Any, Any], *messages: AnyMessage, last: str | None) -> dict[str, Any]:
    record = {**contract.prepare(GOOD).to_envelope(), "last_message_id": last}
    return {"messages": list(messages), "handoffs": {record["id"]: record}}


@pytest.mark.parametrize("last", ["gone", None])
async def test_since_a_handoff_that_no_message_marks_all_are_shown(call: Call, last: str | None) -> None:
    contract, model = make(), ScriptedModel(replies=["done"])
    agent = create_agent(model, middleware=[HandoffContext(contract, history="since_handoff")])
    await call(agent, handed_over(contract, HumanMessage("one", id="1"), AIMessage("two", id="2"), last=last))
    assert [kind for kind, _ in texts(model.sent[0])] == ["system", "human", "ai"]


@pytest.mark.parametrize("last", ["2", "3"])
async def test_a_cut_between_a_call_and_its_results_hides_both(call: Call, last: str) -> None:
    contract, model = make(), ScriptedModel(replies=["done"])
    agent = create_agent(model, middleware=[HandoffContext(contract, history="since_handoff")])
    calls = calling("look", "x", at="1").tool_calls + calling("look", "y", at="2").tool_calls
    state = handed_over(
        contract,
        HumanMessage("one", id="1"),
        AIMessage("", id="2", tool_calls=calls),
        ToolMessage("saw 1", id="3", tool_call_id="x"),
        ToolMessage("saw 2", id="4", tool_call_id="y"),
        HumanMessage("go on", id="5"),
        last=last,
    )
    await call(agent, state)
    assert [kind for kind, _ in texts(model.sent[0])] == ["system", "human"]
    assert model.sent[0][1].text == "go on"


async def test_a_result_without_its_call_is_shown_or_hidden_by_its_own_place(call: Call) -> None:
    contract, model = make(), ScriptedModel(replies=["done"])
    agent = create_agent(model, middleware=[HandoffContext(contract, history="since_handoff")])
    orphan = ToolMessage("saw 1", id="2", tool_call_id="x")
    await call(agent, handed_over(contract, HumanMessage("one", id="1"), orphan, HumanMessage("two", id="3"), last="2"))
    assert [kind for kind, _ in texts(model.sent[0])] == ["system", "human"]


async def test_messages_that_another_middleware_adds_on_the_way_are_shown(call: Call) -> None:
    contract, model = make(), ScriptedModel(replies=["done"])

    @wrap_model_call
    async def adding(request: Any, handler: Any) -> Any:
        return await handler(request.override(messages=[*request.messages, HumanMessage("hurry")]))

    @wrap_model_call
    def adding_sync(request: Any, handler: Any) -> Any:
        return handler(request.override(messages=[*request.messages, HumanMessage("hurry")]))

    first: Any = adding if call.is_async else adding_sync
    agent = create_agent(model, middleware=[first, HandoffContext(contract)])
    out = await call(behind(contract, receiver=agent).compile(), ASKED)
    assert texts(model.sent[0]) == [("system", contract.received(out).context), ("human", "hurry")]


def second() -> Handoff[Any, Any]:
    return handoff(id="a-to-b-too", from_agent="a", to_agent="b")(to_brief)


async def test_several_handoffs_are_one_brief_in_the_order_given(call: Call) -> None:
    one, two, model = make(), second(), ScriptedModel(replies=["done"])
    agent = create_agent(model, middleware=[HandoffContext(two, one)])
    builder = behind(one, receiver=agent)
    add_handoff(builder, two, read="found")
    out = await call(builder.compile(), ASKED)
    assert texts(model.sent[0]) == [("human", f"{two.received(out).context}\n\n{one.received(out).context}")]


async def test_two_middlewares_on_one_agent_both_give_their_brief(call: Call) -> None:
    one, two, model = make(), second(), ScriptedModel(replies=[calling("look", at="it"), "done"])
    agent = create_agent(model, [look], middleware=[HandoffContext(one), HandoffContext(two)])
    builder = behind(one, receiver=agent)
    add_handoff(builder, two, read="found")
    out = await call(builder.compile(), ASKED)
    briefs = [("system", two.received(out).context), ("human", one.received(out).context)]
    assert [texts(sent) for sent in model.sent] == [briefs, [*briefs, ("ai", ""), ("tool", "saw it")]]


async def test_each_receiver_that_a_fan_out_starts_gets_its_own_brief(call: Call) -> None:
    contract = make()
    models: list[str] = []

    @wrap_model_call
    def watching(request: Any, handler: Any) -> Any:
        models.append(request.messages[0].text)
        return handler(request)

    @wrap_model_call
    async def awatching(request: Any, handler: Any) -> Any:
        models.append(request.messages[0].text)
        return await handler(request)

    last: Any = awatching if call.is_async else watching
    agent = create_agent(ScriptedModel(replies=["done"]), middleware=[HandoffContext(contract), last])
    payloads = [contract.prepare({"question": question}) for question in ("One?", "Two?")]
    builder: Any = StateGraph(MessagesState)
    builder.add_node("b", agent)
    sends = [Send("b", {"messages": [], "handoffs": {one.id: one.to_envelope()}}) for one in payloads]
    builder.add_conditional_edges(START, lambda _: sends, ["b"])
    await call(builder.compile(), ASKED)
    assert sorted(models) == sorted(payload.context for payload in payloads)


async def test_a_middleware_before_it_may_replace_the_system_prompt(call: Call) -> None:
    contract, model = make(), ScriptedModel(replies=["done"])

    @dynamic_prompt
    def prompt(request: Any) -> str:
        return "Be quick."

    agent = create_agent(model, middleware=[prompt, HandoffContext(contract, history="keep")])
    out = await call(behind(contract, receiver=agent).compile(), ASKED)
    assert model.sent[0][0].text == f"Be quick.\n\n{contract.received(out).context}"


async def test_what_was_hidden_stays_hidden_when_the_agent_summarises_its_history(call: Call) -> None:
    contract, model = make(), ScriptedModel(replies=[calling("look", at="it"), "done"])

    @before_model
    def summarising(state: Any, runtime: Any) -> dict[str, Any] | None:
        if not isinstance(state["messages"][-1], ToolMessage):
            return None
        kept = state["messages"][1:]
        return {"messages": [RemoveMessage(id=REMOVE_ALL_MESSAGES), HumanMessage("in short: asked"), *kept]}

    agent = create_agent(model, [look], middleware=[summarising, HandoffContext(contract)])
    out = await call(behind(contract, receiver=agent).compile(), ASKED)
    brief = contract.received(out).context
    assert texts(model.sent[1]) == [("system", brief), ("human", "in short: asked"), ("ai", ""), ("tool", "saw it")]


def shrinking(contract: Any, least: str) -> Any:
    """Let a handoff's contexts shrink to the characters at the end of them, and no further than `least`."""

    def as_context(payload: Any, priority: int) -> Context:
        def refit(max_tokens: int) -> str:
            if max_tokens < len(least):
                raise errors.BudgetError(
                    handoff=contract.id, found="no", fix="no", max_tokens=max_tokens, needed_tokens=len(least)
                )
            return (payload.context + least)[-max_tokens:]

        return Context(f"handoff:{contract.id}", payload.context, priority, refit)

    contract.as_context = as_context
    return contract


async def test_several_briefs_share_one_budget_by_priority(call: Call) -> None:
    one, two, model = shrinking(make(), "(one)"), shrinking(second(), "(two)"), ScriptedModel(replies=["done"])
    receiving = HandoffContext(one, two, max_tokens=300, priorities={"a-to-b": 10}, counter=len)
    builder = behind(one, receiver=create_agent(model, middleware=[receiving]))
    add_handoff(builder, two, read="found")
    out = await call(builder.compile(), ASKED)
    sent, brief = model.sent[0][0].text, receiving.brief(out)
    assert len(sent) == 300
    assert sent.endswith(two.received(out).context)
    assert brief
    assert [cut.id for cut in brief.cut] == ["handoff:a-to-b"]


async def test_briefs_that_do_not_fit_at_their_least_are_a_typed_error_and_no_model_call(call: Call) -> None:
    contract, model = shrinking(make(), "at the least"), ScriptedModel(replies=["done"])
    agent = create_agent(model, middleware=[HandoffContext(contract, max_tokens=5, counter=len)])
    with pytest.raises(errors.ContextsError, match="take 12 tokens at their least and may take 5"):
        await call(behind(contract, receiver=agent).compile(), ASKED)
    assert model.sent == []


async def test_all_payloads_of_one_fan_out_reach_the_receiver_behind_the_join(call: Call) -> None:
    contract, model = make(), ScriptedModel(replies=["done"])
    builder: Any = StateGraph(State)
    builder.add_node("a", lambda _: {})
    builder.add_node("b", create_agent(model, middleware=[HandoffContext(contract)]))
    builder.add_edge(START, "a")
    add_handoff(builder, contract, source=None, read="found")
    sends = [Send("a-to-b", {"found": {"question": question}}) for question in ("One?", "Two?")]
    builder.add_conditional_edges("a", lambda _: sends, ["a-to-b"])
    out = await call(builder.compile(), ASKED)
    contexts = [payload.context for payload in contract.received_all(out)]
    assert len(contexts) == 2
    assert texts(model.sent[0]) == [("human", "\n\n".join(contexts))]


async def test_a_payload_that_cannot_be_read_is_a_typed_error_and_no_model_call(call: Call) -> None:
    contract, model = make(), ScriptedModel(replies=["done"])
    agent = create_agent(model, middleware=[HandoffContext(contract)])
    record = {**contract.prepare(GOOD).to_envelope(), "data": {"facts": []}}
    with pytest.raises(errors.EnvelopeError, match="task"):
        await call(agent, {**ASKED, "handoffs": {record["id"]: record}})
    assert model.sent == []


async def test_an_agent_that_receives_and_answers_with_structure_does_both(call: Call) -> None:
    contract = make()
    model = ScriptedModel(replies=[calling("Research", question="Next?")])
    agent = create_agent(model, response_format=Research, middleware=[HandoffContext(contract)])
    payload = contract.prepare(GOOD)
    out = await call(agent, {**ASKED, "handoffs": {payload.id: payload.to_envelope()}})
    assert out["structured_response"] == Research(question="Next?")


@pytest.mark.parametrize("more", [{}, {"max_tokens": 10}], ids=["twice", "with other options"])
def test_the_same_handoff_in_two_middlewares_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="duplicate"):
        create_agent(ScriptedModel(replies=[""]), middleware=[HandoffContext(make()), HandoffContext(make(), **more)])


def test_a_middleware_is_named_by_its_handoffs() -> None:
    assert HandoffContext(make(), second()).name == "HandoffContext.a-to-b.a-to-b-too"


@pytest.mark.parametrize(
    "handoffs, options, sentence",
    [
        ([], {}, r"^middleware 'HandoffContext' .* no handoffs\nName those"),
        (["to-writer"], {}, r"it was given a str\nName those"),
        ([make(), make()], {}, "two handoffs of one id"),
        (
            [make()],
            {"history": "replace"},
            r"history='replace' is not known\nUse one of 'hide', 'since_handoff', 'keep'",
        ),
        ([make()], {"as_": "tool"}, "as_='tool' is not known"),
        ([make()], {"max_tokens": 0}, "max_tokens is 0"),
        ([make()], {"max_tokens": "500"}, "max_tokens is '500'"),
        ([make()], {"priorities": {"x": 1}}, "priorities name x, which it does not receive"),
        ([make()], {"counter": lambda _: 0}, "its counter answers 0"),
    ],
)
def test_options_that_cannot_work_are_refused_with_what_to_write(
    handoffs: list[Any], options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(errors.DefinitionError, match=sentence):
        HandoffContext(*handoffs, **options)


def test_without_langchain_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "crux_langgraph.middleware")
    monkeypatch.setitem(sys.modules, "langchain.agents.middleware.types", None)  # type: ignore[arg-type]
    with pytest.raises(ModuleNotFoundError, match=r'pip install "crux-langgraph\[agents\]"'):
        importlib.import_module("crux_langgraph.middleware")
