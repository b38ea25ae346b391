"""A handoff on an edge: what crosses, in every kind of graph and state."""

import asyncio
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, Send
from pydantic import BaseModel
from support import BAD, GOOD, Brief, Call, Research, State, make, reader, to_brief, two_agents
from typing_extensions import TypedDict

from crux_langgraph import Handoff, HandoffNode, Handoffs, HandoffState, add_handoff, errors, handoff

CROSSED = {"task": "Why?", "facts": ["one", "two"]}


async def test_the_target_receives_the_transformed_and_validated_payload(call: Call) -> None:
    out = await call(two_agents(make()).compile(), {})
    assert out["seen"] == CROSSED


async def test_a_bad_payload_raises_from_the_node_and_the_target_does_not_run(call: Call) -> None:
    graph = two_agents(make(), found=BAD).compile()
    with pytest.raises(errors.InputError, match=r"findings: expected a valid list, found str"):
        await call(graph, {})


async def test_streaming_shows_the_handoff_as_a_step_of_its_own(call: Call) -> None:
    chunks = await call.stream(two_agents(make()).compile(), {}, stream_mode="updates")
    assert [next(iter(chunk)) for chunk in chunks] == ["a", "a-to-b", "b"]


async def test_an_async_transform_works_in_ainvoke_and_is_told_in_invoke(call: Call) -> None:
    @handoff(id="a-to-b", from_agent="a", to_agent="b")
    async def slow(research: Research) -> Brief:
        await asyncio.sleep(0)
        return to_brief(research)

    graph = two_agents(slow).compile()
    if call.is_async:
        assert (await call(graph, {}))["seen"] == CROSSED
    else:
        with pytest.raises(errors.WrongWayError, match=r"slow\(\) is asynchronous.*ainvoke"):
            await call(graph, {})


class PydanticState(BaseModel):
    found: Any = None
    seen: Any = None
    handoffs: Handoffs = {}


@dataclass
class DataclassState:
    found: Any = None
    seen: Any = None
    handoffs: Handoffs = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class SlottedState:
    found: Any
    seen: Any = None
    handoffs: Handoffs = field(default_factory=dict)


SCHEMAS: list[Any] = [State, PydanticState, DataclassState, SlottedState]


@pytest.mark.parametrize("schema", SCHEMAS)
async def test_it_works_with_every_kind_of_state(call: Call, schema: Any) -> None:
    out = await call(two_agents(make(), schema).compile(), {"found": None})
    assert out["seen"] == CROSSED


@pytest.mark.parametrize("schema", SCHEMAS)
async def test_a_read_function_gets_the_users_own_state_class(call: Call, schema: Any) -> None:
    kinds: list[type] = []

    def read(state: Any) -> Any:
        kinds.append(type(state))
        return state["found"] if isinstance(state, dict) else state.found

    out = await call(two_agents(make(), schema, read=read).compile(), {"found": None})
    assert out["seen"] == CROSSED
    assert kinds == [dict if schema is State else schema]


async def test_a_read_function_gets_a_slotted_state_with_defaults_for_what_is_not_set(call: Call) -> None:
    def read(state: SlottedState) -> Any:
        assert state.seen is None
        assert state.handoffs == {}
        return state.found

    assert (await call(two_agents(make(), SlottedState, read=read).compile(), {"found": None}))["seen"] == CROSSED


class Strict(BaseModel):
    found: Research | None = None
    seen: Any = None
    handoffs: Handoffs = {}


async def test_a_state_that_langgraph_could_not_convert_still_reaches_the_node(call: Call) -> None:
    graph = two_agents(make(), Strict, found=BAD).compile()
    with pytest.raises(errors.InputError, match="findings"):
        await call(graph, {})


class FieldState(HandoffState, total=False):
    question: str
    findings: list[str]
    seen: Any


async def test_without_read_the_keys_that_match_the_input_model_are_read(call: Call) -> None:
    contract = make()
    builder: Any = StateGraph(FieldState)
    builder.add_node("a", lambda _: GOOD)
    builder.add_node("b", reader(contract))
    builder.add_edge(START, "a")
    add_handoff(builder, contract)
    assert (await call(builder.compile(), {}))["seen"] == CROSSED


@pytest.mark.parametrize(
    "found,told", [(None, "has no such key"), ({"question": "Why?"}, "")], ids=["missing", "there"]
)
async def test_a_missing_state_key_is_named_with_what_the_state_has(call: Call, found: Any, told: str) -> None:
    graph = two_agents(make(), found=found).compile()
    if told:
        with pytest.raises(errors.InputError, match="reads the state key 'found', and the state has no such key"):
            await call(graph, {})
    else:
        assert (await call(graph, {}))["seen"] == {"task": "Why?", "facts": []}


async def test_a_state_key_that_holds_none_is_told_with_what_to_do(call: Call) -> None:
    with pytest.raises(errors.InputError, match=r"holds None\n.*response_format"):
        await call(two_agents(make(), found=None).compile(), {"found": None})


class Ctx(TypedDict):
    user: str


async def test_read_and_transform_may_ask_for_the_runtime(call: Call) -> None:
    @handoff(id="a-to-b", from_agent="a", to_agent="b")
    def signed(research: Research, *, runtime: Runtime[Ctx] | None = None) -> Brief:
        assert runtime is not None
        return Brief(task=f"{research.question} asks {runtime.context['user']}")

    def read(state: Any, runtime: Runtime[Ctx]) -> Any:
        return {"question": runtime.context["user"]}

    builder: Any = StateGraph(State, context_schema=Ctx)
    builder.add_node("a", lambda _: {})
    builder.add_node("b", reader(signed))
    builder.add_edge(START, "a")
    add_handoff(builder, signed, read=read)
    out = await call(builder.compile(), {}, context={"user": "ann"})
    assert out["seen"]["task"] == "ann asks ann"


async def test_an_error_in_a_read_function_is_told_and_chained(call: Call) -> None:
    def read(state: Any) -> Any:
        return state["nowhere"]

    with pytest.raises(errors.InputError, match=r"its read function read\(\) raised KeyError") as caught:
        await call(two_agents(make(), read=read).compile(), {})
    assert isinstance(caught.value.__cause__, KeyError)


async def test_a_write_function_adds_further_updates(call: Call) -> None:
    graph = two_agents(make(), write=lambda payload: {"found": payload.data.task}).compile()
    assert (await call(graph, {}))["found"] == "Why?"


async def test_a_write_function_may_take_the_state_too(call: Call) -> None:
    def write(payload: Any, state: Any) -> dict[str, Any]:
        return {"found": [payload.data.task, state["found"]["question"]]}

    assert (await call(two_agents(make(), write=write).compile(), {}))["found"] == ["Why?", "Why?"]


@pytest.mark.parametrize(
    "given,told",
    [([], "gave list"), ({"handoffs": {}}, "gave the key 'handoffs'")],
    ids=["a list", "our channel"],
)
async def test_a_write_function_that_gives_no_further_updates_is_told(call: Call, given: Any, told: str) -> None:
    def write(payload: Any) -> Any:
        return given

    with pytest.raises(errors.OutputError, match=rf"its write function write\(\) {told}"):
        await call(two_agents(make(), write=write).compile(), {})


async def test_a_write_function_that_returns_nothing_adds_nothing(call: Call) -> None:
    assert (await call(two_agents(make(), write=lambda _: None).compile(), {}))["seen"] == CROSSED


async def test_the_record_says_how_and_when_it_crossed(call: Call) -> None:
    class Chat(MessagesState, HandoffState, total=False):
        found: Any
        seen: Any

    out = await call(two_agents(make(), Chat).compile(), {"messages": [HumanMessage("hi", id="m1")]})
    (record,) = out["handoffs"].values()
    assert record["hops"] == [{"handoff": "a-to-b", "payload": record["id"]}]
    assert record["last_message_id"] == "m1"
    assert (record["from_agent"], record["to_agent"]) == ("a", "b")


async def test_the_path_of_hops_grows_along_a_chain(call: Call) -> None:
    first = Handoff.of(Brief, id="a-to-b", from_agent="a", to_agent="b")
    second = Handoff.of(Brief, id="b-to-c", from_agent="b", to_agent="c")
    builder: Any = StateGraph(State)
    builder.add_node("a", lambda _: {"found": {"task": "t"}})
    builder.add_node("b", lambda _: {})
    builder.add_node("c", reader(second))
    builder.add_edge(START, "a")
    add_handoff(builder, first, read="found")
    add_handoff(builder, second, read="found")
    out = await call(builder.compile(), {})
    hops = [record["hops"] for record in out["handoffs"].values() if record["handoff"] == "b-to-c"]
    assert [hop["handoff"] for hop in hops[0]] == ["a-to-b", "b-to-c"]


class FanState(HandoffState, total=False):
    found: Any
    seen: Annotated[list[Any], operator.add]


def fan_out(contract: Handoff[Any, Any], onward: Callable[[Any], Any] | None = None, **options: Any) -> Any:
    builder: Any = StateGraph(FanState)
    builder.add_node("a", lambda _: {})
    node = add_handoff(builder, contract, **{"source": None, "read": "found", **options})
    sends = [Send(node, {"found": {"question": f"q{n}"}}) for n in range(3)]
    builder.add_conditional_edges("a", lambda _: sends, [node])
    builder.add_node("b", onward or (lambda s: {"seen": [p.data.task for p in contract.received_all(s)]}))
    builder.add_edge(START, "a")
    builder.add_edge("b", END)
    return builder


async def test_all_payloads_of_a_fan_out_by_send_arrive_in_order(call: Call) -> None:
    assert (await call(fan_out(make()).compile(), {}))["seen"] == ["q0", "q1", "q2"]


async def test_parallel_handoffs_to_one_target_both_arrive(call: Call) -> None:
    one, two = make(id="one", from_agent="a"), make(id="two", from_agent="c")
    builder: Any = StateGraph(FanState)
    for name, question in (("a", "qa"), ("c", "qc")):
        builder.add_node(name, lambda _: {})
        builder.add_edge(START, name)
        add_handoff(builder, one if name == "a" else two, read=lambda _, q=question: {"question": q})
    builder.add_node("b", lambda s: {"seen": [one.received(s).data.task, two.received(s).data.task]})
    assert (await call(builder.compile(), {}))["seen"] == ["qa", "qc"]


async def test_a_join_waits_for_the_handoff_when_its_target_is_left_to_the_user(call: Call) -> None:
    contract = make()
    builder: Any = StateGraph(FanState)
    builder.add_node("a", lambda _: {"found": GOOD})
    builder.add_node("slow", lambda _: {})
    builder.add_node("b", lambda s: {"seen": [contract.received(s).data.task]})
    builder.add_edge(START, "a")
    builder.add_edge(START, "slow")
    node = add_handoff(builder, contract, target=None, read="found")
    builder.add_edge([node, "slow"], "b")
    assert (await call(builder.compile(), {}))["seen"] == ["Why?"]


async def test_a_conditional_edge_may_name_the_handoff_in_its_path_map(call: Call) -> None:
    builder = two_agents(make(), source=None)
    builder.add_conditional_edges("a", lambda _: "go", {"go": "a-to-b", "stop": END})
    assert (await call(builder.compile(), {}))["seen"] == CROSSED


async def test_a_command_may_go_to_the_handoff(call: Call) -> None:
    contract = make()
    builder: Any = StateGraph(State)
    builder.add_node("a", lambda _: Command(goto="a-to-b", update={"found": GOOD}), destinations=("a-to-b",))
    builder.add_node("b", reader(contract))
    builder.add_edge(START, "a")
    add_handoff(builder, contract, source=None, read="found")
    assert (await call(builder.compile(), {}))["seen"] == CROSSED


async def test_start_may_be_the_source_and_end_the_target(call: Call) -> None:
    contract = make()
    builder: Any = StateGraph(State)
    add_handoff(builder, contract, source=START, target=END, read="found")
    out = await call(builder.compile(), {"found": GOOD})
    assert contract.received(out).data.task == "Why?"


async def test_deferred_and_named_nodes_behave_as_in_add_node(call: Call) -> None:
    builder = two_agents(make(), name="crossing", defer=True)
    assert builder.nodes["crossing"].defer
    assert (await call(builder.compile(), {}))["seen"] == CROSSED


async def test_a_handoff_inside_a_subgraph_hands_its_record_to_the_parent(call: Call) -> None:
    contract = make()
    builder: Any = StateGraph(State)
    builder.add_node("inner", two_agents(contract).compile())
    builder.add_node("after", lambda s: {"seen": contract.received(s).data.facts})
    builder.add_edge(START, "inner")
    builder.add_edge("inner", "after")
    assert (await call(builder.compile(), {}))["seen"] == ["one", "two"]


class OnlyHandoffs(TypedDict, total=False):
    handoffs: Handoffs


async def test_parallel_subgraphs_keep_each_others_records(call: Call) -> None:
    contract = make()
    inner: Any = StateGraph(State, output_schema=OnlyHandoffs)
    add_handoff(inner, contract, source=START, target=END, read="found")
    builder: Any = StateGraph(FanState)
    builder.add_node("inner", inner.compile())
    builder.add_node("a", lambda _: {})
    sends = [Send("inner", {"found": {"question": f"q{n}"}}) for n in range(3)]
    builder.add_conditional_edges("a", lambda _: sends, ["inner"])
    builder.add_node("b", lambda s: {"seen": [p.data.task for p in contract.received_all(s)]})
    builder.add_edge(START, "a")
    builder.add_edge("inner", "b")
    assert sorted((await call(builder.compile(), {}))["seen"]) == ["q0", "q1", "q2"]


async def test_the_node_can_be_called_by_hand(call: Call) -> None:
    contract = make()
    node = HandoffNode(contract, read="found", write=None, history="keep", state_schema=State)
    first = await call(node, {"found": GOOD})
    assert contract.received(first).data.facts == ["one", "two"]
    second = await call(node, {"found": GOOD})
    assert first["handoffs"].keys() != second["handoffs"].keys()


async def test_any_object_with_attributes_is_read_as_a_state(call: Call) -> None:
    class Loose:
        def __init__(self) -> None:
            self.found = GOOD

    node = HandoffNode(make(), read="found", write=None, history="keep", state_schema=State)
    assert make().received(await call(node, Loose())).data.task == "Why?"


async def test_the_brief_can_be_appended_to_the_messages(call: Call) -> None:
    class Chat(MessagesState, HandoffState, total=False):
        found: Any
        seen: Any

    contract = make()
    out = await call(two_agents(contract, Chat, write="messages").compile(), {"messages": [HumanMessage("hi")]})
    assert [message.text for message in out["messages"]] == ["hi", contract.received(out).context]


class ChatFan(MessagesState, FanState, total=False):
    pass


async def test_two_handoffs_that_replace_the_history_keep_each_others_brief(call: Call) -> None:
    one, two = make(id="one", from_agent="a"), make(id="two", from_agent="c")
    builder: Any = StateGraph(ChatFan)
    for name in ("a", "c"):
        builder.add_node(name, lambda _: {})
        builder.add_edge(START, name)
        add_handoff(builder, one if name == "a" else two, read=lambda _: GOOD, write="messages", history="replace")
    builder.add_node("b", lambda s: {"seen": [[m.text[:14] for m in s["messages"]]]})
    older = [HumanMessage("hi", id="1"), AIMessage("ho", id="2")]
    out = await call(builder.compile(), {"messages": older})
    assert out["seen"] == [["## Handoff one", "## Handoff two"]]


async def test_replacing_the_history_streams_no_old_message_again(call: Call) -> None:
    class Chat(MessagesState, HandoffState, total=False):
        found: Any
        seen: Any

    graph = two_agents(make(), Chat, write="messages", history="replace").compile()
    chunks = await call.stream(graph, {"messages": [HumanMessage("hi", id="1")]}, stream_mode="messages")
    assert [chunk.text[:16] for chunk, _ in chunks] == ["## Handoff a-to-"]


async def test_replacing_a_history_that_was_not_sent_is_told(call: Call) -> None:
    builder: Any = StateGraph(ChatFan)
    builder.add_node("a", lambda _: {})
    builder.add_node("b", lambda _: {})
    node = add_handoff(builder, make(), source=None, read="found", write="messages", history="replace")
    builder.add_conditional_edges("a", lambda _: [Send(node, {"found": GOOD})], [node])
    builder.add_edge(START, "a")
    with pytest.raises(errors.InputError, match=r"was sent a state without them\nSend them too"):
        await call(builder.compile(), {"messages": []})


async def test_the_node_can_be_called_inside_another_runnable(call: Call) -> None:
    node = HandoffNode(make(), read="found", write=None, history="keep", state_schema=State)
    around = RunnableLambda(node.invoke)
    assert make().received(await call(around, {"found": GOOD})).data.task == "Why?"


async def test_a_state_sent_as_an_instance_is_read_as_one(call: Call) -> None:
    contract = make()
    builder: Any = StateGraph(DataclassState)
    builder.add_node("a", lambda _: {})
    builder.add_node("b", reader(contract))
    node = add_handoff(builder, contract, source=None, read="found")
    builder.add_conditional_edges("a", lambda _: [Send(node, DataclassState(found=GOOD))], [node])
    builder.add_edge(START, "a")
    assert (await call(builder.compile(), {"found": None}))["seen"] == CROSSED
