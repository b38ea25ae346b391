"""One model turn with handoffs: every call keeps its result, every handoff reaches its target, once and typed."""

from typing import Annotated, Any

import pytest
from desk import Bill, Desk, State, bill, both, call_of, look_up, refund, to_billing, to_refunds
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph, add_messages
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, interrupt
from legal import illegal
from pydantic import BaseModel
from support import Call, ScriptedModel, calling

from crux_langgraph import ActiveAgent, HandoffRequests, Handoffs, HandoffState, add_handoffs, errors, handoff
from crux_langgraph._requesting import requests_in
from crux_langgraph.graph import merge_requests
from crux_langgraph.middleware import HandoffContext, HandoffRouting

THREAD = {"configurable": {"thread_id": "1"}}


def called(agent: Any, call: Call) -> Any:
    """A node that calls an agent, so that no build can see the agent."""

    def node(state: Any) -> Any:
        return agent.invoke(state)

    async def anode(state: Any) -> Any:
        return await agent.ainvoke(state)

    return anode if call.is_async else node


def leads_to(billing: Any, model: Any, *tools: Any, schema: Any = State, **options: Any) -> Any:
    """The builder of a graph in which a triage agent hands over to billing, whatever that is."""
    builder: Any = StateGraph(schema)
    builder.add_node("triage", create_agent(model, tools, middleware=[HandoffRouting(to_billing)]))
    builder.add_node("billing", billing)
    builder.add_edge(START, "triage")
    add_handoffs(builder, "triage", [to_billing], **options)
    return builder


def answers(out: dict[str, Any]) -> list[str]:
    return [str(message.content) for message in out["messages"] if isinstance(message, AIMessage) and message.content]


async def test_two_handoffs_beside_a_tool_call_all_keep_their_results(call: Call) -> None:
    desk = Desk(both())
    out = await call(desk.builder.compile(), {"messages": ["hi"]})
    told = [message for message in out["messages"] if isinstance(message, ToolMessage)]
    assert [(one.tool_call_id, one.status) for one in told] == [("1", "success"), ("2", "success"), ("3", "success")]
    assert told[1].content == "found x"
    assert answers(out) == ["billed", "refunded"]
    assert illegal(out["messages"]) is None
    assert (len(desk.triage.sent), len(desk.billing.sent), len(desk.refunds.sent)) == (1, 1, 1)


async def test_each_target_gets_its_own_payload_typed_and_in_its_prompt(call: Call) -> None:
    desk = Desk(both())
    out = await call(desk.builder.compile(), {"messages": ["hi"]})
    assert to_billing.received(out).data == Bill(account="A")
    assert to_refunds.received(out).data.order == "O"
    (prompt,) = desk.billing.sent
    assert '"account": "A"' in prompt[0].content
    assert '"order"' not in prompt[0].content


async def test_nothing_is_left_in_the_queue(call: Call) -> None:
    out = await call(Desk(both()).builder.compile(), {"messages": ["hi"]})
    assert out["handoff_requests"] == {}


async def test_a_turn_without_a_handoff_goes_to_the_default(call: Call) -> None:
    desk = Desk("hello", default="closing")
    desk.builder.add_node("closing", lambda _: {"messages": [AIMessage("bye")]})
    desk.builder.add_edge("triage", "closing")
    out = await call(desk.builder.compile(), {"messages": ["hi"]})
    assert answers(out) == ["hello", "bye"]


async def test_a_turn_with_a_handoff_does_not_go_to_the_default(call: Call) -> None:
    desk = Desk(calling(bill()), default="closing")
    desk.builder.add_node("closing", lambda _: {"messages": [AIMessage("bye")]})
    desk.builder.add_edge("triage", "closing")
    assert answers(await call(desk.builder.compile(), {"messages": ["hi"]})) == ["billed"]


async def test_two_calls_of_one_handoff_run_its_target_twice_each_with_its_own_payload(call: Call) -> None:
    desk = Desk(calling(bill("1", account="A"), bill("2", account="B")))
    out = await call(desk.builder.compile(), {"messages": ["hi"]})
    assert sorted(payload.data.account for payload in to_billing.received_all(out)) == ["A", "B"]
    prompts = [prompt[0].content for prompt in desk.billing.sent]
    assert ['"A"' in prompt for prompt in prompts] != ['"B"' in prompt for prompt in prompts]
    assert answers(out) == ["billed", "billed"]


async def test_bad_arguments_are_told_to_the_model_which_calls_again(call: Call) -> None:
    desk = Desk(calling(bill(cents="many")), calling(bill("2", cents=5)))
    out = await call(desk.builder.compile(), {"messages": ["hi"]})
    told = [message for message in out["messages"] if isinstance(message, ToolMessage)]
    assert [one.status for one in told] == ["error", "success"]
    assert "cents: expected a valid integer" in told[0].content
    assert "many" not in told[0].content
    assert to_billing.received(out).data.cents == 5


async def test_a_bad_handoff_beside_a_good_one_keeps_its_error_and_the_good_one_runs(call: Call) -> None:
    desk = Desk(calling(bill("1", cents="many"), refund("2")))
    out = await call(desk.builder.compile(), {"messages": ["hi"]})
    told = [message for message in out["messages"] if isinstance(message, ToolMessage)]
    assert [one.status for one in told] == ["error", "success"]
    assert answers(out) == ["refunded"]
    assert illegal(out["messages"]) is None


async def test_the_call_ids_of_parallel_agents_may_be_the_same(call: Call) -> None:
    a_to_c = handoff(id="a-to-c", to_agent="c")(to_billing.__wrapped__)
    b_to_c = handoff(id="b-to-c", to_agent="c")(to_billing.__wrapped__)
    seen: list[str] = []
    builder: Any = StateGraph(State)
    for name, one in (("a", a_to_c), ("b", b_to_c)):
        model = ScriptedModel(replies=[calling(call_of("transfer_to_c", "same", account=name))])
        builder.add_node(name, create_agent(model, middleware=[HandoffRouting(one)]))
        builder.add_edge(START, name)
        add_handoffs(builder, name, [one])
    builder.add_node("c", lambda state: seen.extend(record["data"]["account"] for record in state["handoffs"].values()))
    await call(builder.compile(), {"messages": ["hi"]})
    assert sorted(seen) == ["a", "b"]


async def test_several_sources_share_a_handoff_and_each_leads_its_own_on(call: Call) -> None:
    builder: Any = StateGraph(State)
    for name in ("a", "b"):
        model = ScriptedModel(replies=[calling(bill(account=name))])
        builder.add_node(name, create_agent(model, middleware=[HandoffRouting(to_billing)]))
        builder.add_edge(START, name)
        assert add_handoffs(builder, name, [to_billing]) == ["to-billing"]
    seen: list[str] = []
    builder.add_node("billing", lambda state: seen.append(to_billing.received(state).data.account))
    await call(builder.compile(), {"messages": ["hi"]})
    assert sorted(seen) == ["a", "b"]


async def test_a_later_turn_hands_nothing_over_again(call: Call) -> None:
    desk = Desk(both(), "just talk")
    graph = desk.builder.compile(checkpointer=InMemorySaver())
    await call(graph, {"messages": ["hi"]}, THREAD)
    out = await call(graph, {"messages": ["and now?"]}, THREAD)
    assert answers(out) == ["billed", "refunded", "just talk"]


async def test_what_an_aborted_run_left_behind_is_never_handed_over(call: Call) -> None:
    desk = Desk(calling(bill(account="old")), calling(bill(account="new")))
    graph = desk.builder.compile(checkpointer=InMemorySaver(), interrupt_after=["triage"])
    stopped = await call(graph, {"messages": ["hi"]}, THREAD)
    assert [one["data"]["account"] for one in stopped["handoff_requests"].values()] == ["old"]
    await call(graph, {"messages": ["something else"]}, THREAD)
    out = await call(graph, None, THREAD)
    assert [payload.data.account for payload in to_billing.received_all(out)] == ["new"]
    assert len(desk.billing.sent) == 1


async def test_an_agent_with_a_thread_of_its_own_forgets_its_last_request(call: Call) -> None:
    model = ScriptedModel(replies=[calling(bill()), "talk"])
    agent = create_agent(model, middleware=[HandoffRouting(to_billing)], checkpointer=InMemorySaver())
    first = await call(agent, {"messages": ["hi"]}, THREAD)
    assert len(first["handoff_requests"]) == 1
    second = await call(agent, {"messages": ["again"]}, THREAD)
    assert second["messages"][-1].content == "talk"
    assert second["handoff_requests"] == {}


async def test_an_interrupt_in_the_tool_beside_a_handoff_is_waited_for(call: Call) -> None:
    def approve(question: str) -> str:
        """Ask a person."""
        return str(interrupt(question))

    def billing(state: Any) -> dict[str, Any]:
        return {"messages": [AIMessage(to_billing.received(state).data.account)]}

    model = ScriptedModel(replies=[calling(bill("1"), call_of("approve", "2", question="may I?"))])
    graph = leads_to(billing, model, approve).compile(checkpointer=InMemorySaver())
    stopped = await call(graph, {"messages": ["hi"]}, THREAD)
    assert stopped["__interrupt__"][0].value == "may I?"
    out = await call(graph, Command(resume="yes"), THREAD)
    assert [message.content for message in out["messages"][2:]] == ["Transferred to billing.", "yes", "A"]
    assert len(model.sent) == 1


async def test_the_target_is_sent_what_it_declares_and_nothing_else(call: Call) -> None:
    seen: list[Any] = []

    class Wide(State, total=False):
        secret: str
        wanted: str

    class Narrow(HandoffState, total=False):
        wanted: str

    def billing(state: Narrow) -> None:
        seen.append(state)

    builder = leads_to(billing, ScriptedModel(replies=[calling(bill())]), schema=Wide)
    await call(builder.compile(), {"messages": ["hi"], "secret": "s", "wanted": "w"})
    (state,) = seen
    assert state["wanted"] == "w"
    assert not {"secret", "messages"} & state.keys()


class Typed(BaseModel):
    messages: Annotated[list[Any], add_messages] = []
    handoffs: Handoffs = {}
    handoff_requests: HandoffRequests = None
    active_agent: ActiveAgent = None


@pytest.mark.parametrize("checkpointer", [None, InMemorySaver()])
async def test_a_pydantic_state_works_and_its_nodes_get_instances(call: Call, checkpointer: Any) -> None:
    seen: list[Any] = []

    def billing(state: Typed) -> None:
        seen.append((type(state), to_billing.received(state).data.account))

    builder = leads_to(billing, ScriptedModel(replies=[calling(bill())]), schema=Typed)
    graph = builder.compile(checkpointer=checkpointer)
    await call(graph, {"messages": [HumanMessage("hi")]}, {"configurable": {"thread_id": call.way}})
    assert seen == [(Typed, "A")]


async def test_the_brief_can_come_as_a_message_to_an_agent_that_knows_of_no_handoffs(call: Call) -> None:
    for history, first in (("keep", "hi"), ("replace", "## Handoff to-billing")):
        triage, billing = ScriptedModel(replies=[calling(bill())]), ScriptedModel(replies=["billed"])
        builder = leads_to(create_agent(billing), triage, write="messages", history=history)
        out = await call(builder.compile(), {"messages": ["hi"]})
        (prompt,) = billing.sent
        assert prompt[0].content.startswith(first)
        assert '"account": "A"' in prompt[-1].content
        assert [message.type for message in out["messages"]] == ["human", "ai", "tool", "human", "ai"]


async def test_a_handoff_may_end_the_run(call: Call) -> None:
    to_end = handoff(id="to-end", to_agent=END)(to_billing.__wrapped__)
    model = ScriptedModel(replies=[calling(call_of("finish", account="A"))])
    builder: Any = StateGraph(State)
    builder.add_node("triage", create_agent(model, [to_end.as_tool(name="finish")], middleware=[HandoffRouting()]))
    builder.add_edge(START, "triage")
    add_handoffs(builder, "triage", [to_end])
    out = await call(builder.compile(), {"messages": ["hi"]})
    assert to_end.received(out).data.account == "A"
    assert out.get("active_agent") is None


async def test_a_tool_node_of_ones_own_hands_over_too(call: Call) -> None:
    model = ScriptedModel(replies=[calling(bill("1"), call_of("look_up", "2", question="x"))])
    builder: Any = StateGraph(State)
    builder.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    builder.add_node("tools", ToolNode([to_billing.as_tool(), look_up]))
    builder.add_node("billing", lambda state: {"messages": [AIMessage(to_billing.received(state).data.account)]})
    builder.add_edge(START, "model")
    builder.add_edge("model", "tools")
    add_handoffs(builder, "tools", [to_billing], default="model")
    out = await call(builder.compile(), {"messages": ["hi"]})
    assert [message.content for message in out["messages"]] == ["hi", "", "Transferred to billing.", "found x", "A"]
    assert illegal(out["messages"]) is None


async def test_a_graph_within_a_graph_hands_over_outside_of_it(call: Call) -> None:
    inner: Any = StateGraph(State)
    model = ScriptedModel(replies=[calling(bill())])
    inner.add_node("triage", create_agent(model, middleware=[HandoffRouting(to_billing)]))
    inner.add_edge(START, "triage")
    outer: Any = StateGraph(State)
    outer.add_node("team", inner.compile())
    outer.add_node("billing", lambda state: {"messages": [AIMessage(to_billing.received(state).data.account)]})
    outer.add_edge(START, "team")
    add_handoffs(outer, "team", [to_billing])
    out = await call(outer.compile(), {"messages": ["hi"]})
    assert answers(out) == ["A"]


async def test_a_request_that_nothing_leads_on_is_an_error_where_no_build_could_see_it(call: Call) -> None:
    agent = create_agent(ScriptedModel(replies=[calling(refund())]), middleware=[HandoffRouting(to_refunds)])

    builder: Any = StateGraph(State)
    builder.add_node("triage", called(agent, call))
    builder.add_node("billing", lambda _: {})
    builder.add_edge(START, "triage")
    add_handoffs(builder, "triage", [to_billing])
    with pytest.raises(errors.UnroutedError, match=r"'to-refunds' \(layer: route\): the model of 'triage' asked"):
        await call(builder.compile(), {"messages": ["hi"]})


async def test_an_agent_that_is_called_by_a_function_hands_over(call: Call) -> None:
    agent = create_agent(ScriptedModel(replies=[calling(bill())]), middleware=[HandoffRouting(to_billing)])

    builder: Any = StateGraph(State)
    builder.add_node("triage", called(agent, call))
    builder.add_node("billing", lambda state: {"messages": [AIMessage(to_billing.received(state).data.account)]})
    builder.add_edge(START, "triage")
    add_handoffs(builder, "triage", [to_billing])
    assert answers(await call(builder.compile(), {"messages": ["hi"]})) == ["A"]


async def test_a_chain_of_model_chosen_handoffs_shows_the_last_agent_its_brief_alone(call: Call) -> None:
    names = ["a", "b", "c", "d", "e"]
    chain = [handoff(id=f"to-{name}", to_agent=name, max_tokens=200)(to_billing.__wrapped__) for name in names[1:]]
    models = [
        ScriptedModel(
            replies=[AIMessage("long " * 500, tool_calls=[call_of(f"transfer_to_{name}", name, account=name)])]
        )
        for name in names[1:]
    ]
    models.append(ScriptedModel(replies=["done"]))
    builder: Any = StateGraph(State)
    for place, (name, model) in enumerate(zip(names, models, strict=True)):
        receiving = [HandoffContext(chain[place - 1])] if place else []
        sending = [HandoffRouting(chain[place])] if place < len(chain) else []
        builder.add_node(name, create_agent(model, middleware=[*receiving, *sending]))
        if sending:
            add_handoffs(builder, name, [chain[place]])
    builder.add_edge(START, "a")
    out = await call(builder.compile(), {"messages": ["hi"]})
    (prompt,) = models[-1].sent
    assert [message.type for message in prompt] == ["human"]
    assert '"account": "e"' in prompt[0].content
    assert [hop["handoff"] for hop in list(out["handoffs"].values())[-1]["hops"]] == ["to-b", "to-c", "to-d", "to-e"]
    assert illegal(out["messages"]) is None


def test_a_narrow_state_of_the_source_hides_no_request() -> None:
    class Narrow(MessagesState):
        pass

    def triage(_: Narrow) -> Any:
        return to_billing.as_tool().invoke({"account": "A"})

    builder: Any = StateGraph(State)
    builder.add_node("triage", triage)
    builder.add_node("billing", lambda _: {})
    builder.add_edge(START, "triage")
    add_handoffs(builder, "triage", [to_billing])
    # A tool that is called outside of any tool node belongs to no task: it is nobody's, and is not led on.
    assert len(builder.compile().invoke({"messages": []})["handoff_requests"]) == 1


@pytest.mark.parametrize("turn, answered", [(calling(bill()), "billed"), ("talk", "talk")], ids=["handoff", "talk"])
async def test_what_is_no_request_is_passed_over(call: Call, turn: Any, answered: str) -> None:
    queue = {"x": 5, "y": {"handoff": "z"}}
    out = await call(Desk(turn).builder.compile(), {"messages": ["hi"], "handoff_requests": queue})
    assert answers(out) == [answered]


def test_a_queue_takes_requests_and_removals_and_nothing_else() -> None:
    one = {"handoff": "a"}
    assert merge_requests({"1": one, "2": 5}, {"3": one, "4": 5, "1": None}) == {"3": one}
    assert merge_requests(None, None) == {}
    assert requests_in({"handoff_requests": {"x": 5, "y": {"handoff": "z"}}}) == []
