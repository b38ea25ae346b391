"""Repair: the producing agent is sent back with what is wrong, in bounds, and the target runs on a good payload alone."""

from typing import Annotated, Any

import pytest
from endless import ENDLESS
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel
from support import BAD, GOOD, Call, ScriptedModel, calling, make, to_brief

from crux_langgraph import Handoff, HandoffState, Private, Repair, add_handoff, errors, handoff

THREAD = {"configurable": {"thread_id": "1"}}
WORSE = {"question": "Why?", "findings": 2}
WORST = {"question": "Why?"} | {"findings": {}}


class Chat(MessagesState, HandoffState, total=False):
    found: Any
    seen: Any
    ran: Any


class Producer:
    """Writes the given outputs in turn, and keeps what it was told."""

    def __init__(self, *outputs: Any) -> None:
        self.outputs = list(outputs)
        self.told: list[list[str]] = []

    def __call__(self, state: Any) -> dict[str, Any]:
        self.told.append([str(message.content) for message in state["messages"]])
        return {"found": self.outputs.pop(0)}


def graph_of(
    producer: Any, on_invalid: Repair, contract: Any = None, read: Any = "found", **options: Any
) -> tuple[Any, list[str]]:
    ran: list[str] = []
    contract = contract or make()
    builder: Any = StateGraph(Chat)
    builder.add_node("a", producer)
    builder.add_node("b", lambda state: ran.append("b") or {"seen": contract.received(state).data.model_dump()})
    builder.add_node("person", lambda _: ran.append("person"))
    builder.add_edge(START, "a")
    add_handoff(builder, contract, read=read, on_invalid=on_invalid)
    builder.add_edge("b", END)
    return builder.compile(**options), ran


async def test_the_producer_is_told_the_fields_and_what_it_mends_crosses(call: Call) -> None:
    producer = Producer(BAD, GOOD)
    graph, ran = graph_of(producer, Repair())
    out = await call(graph, {"messages": ["go"]})
    assert out["seen"]["facts"] == ["one", "two"]
    assert ran == ["b"]
    _, (_, told) = producer.told
    assert told.splitlines() == [
        "Handoff a-to-b: what was given is not a valid Research.",
        "- findings: expected a valid list, found str",
        "Produce it again, with every field as described.",
    ]


async def test_what_has_no_end_is_sent_back_once(call: Call) -> None:
    endless, _ = ENDLESS["lists twice in lists"]
    outputs = [{"question": "Why?", "findings": endless()} for _ in range(2)]
    graph, ran = graph_of(Producer(*outputs), Repair(max_attempts=3))
    with pytest.raises(errors.RepairError, match="sent back 1 times, and the same came again"):
        await call(graph, {"messages": ["go"]})
    assert ran == []


async def test_a_good_payload_crosses_at_once_to_the_target_alone(call: Call) -> None:
    graph, ran = graph_of(Producer(GOOD), Repair(fallback="person"))
    out = await call(graph, {"messages": ["go"]})
    assert ran == ["b"]
    assert len(out["messages"]) == 1


@pytest.mark.parametrize("attempts", [0, 1, 2])
async def test_it_is_sent_back_so_often_and_not_once_more(call: Call, attempts: int) -> None:
    producer = Producer(BAD, WORSE, WORST, GOOD)
    graph, ran = graph_of(producer, Repair(max_attempts=attempts))
    with pytest.raises(errors.RepairError, match=f"was sent back {attempts} times") as caught:
        await call(graph, {"messages": ["go"]})
    assert (len(producer.told), caught.value.attempts, caught.value.repeated) == (attempts + 1, attempts, False)
    assert [problem.path for problem in caught.value.problems] == ["findings"]
    assert ran == []


@pytest.mark.parametrize("outputs", [(BAD, BAD), (BAD, WORSE, BAD)])
async def test_it_is_not_sent_back_when_the_same_comes_again(call: Call, outputs: Any) -> None:
    producer = Producer(*outputs, GOOD)
    graph, ran = graph_of(producer, Repair(max_attempts=5))
    with pytest.raises(errors.RepairError, match="and the same came again") as caught:
        await call(graph, {"messages": ["go"]})
    assert (len(producer.told), caught.value.repeated, ran) == (len(outputs), True, [])


async def test_a_fallback_runs_in_the_targets_place_and_is_told(call: Call) -> None:
    graph, ran = graph_of(Producer(BAD, WORSE), Repair(max_attempts=1, fallback="person"))
    out = await call(graph, {"messages": ["go"]})
    assert ran == ["person"]
    assert "seen" not in out
    assert out["messages"][-1].content.splitlines()[1:] == [
        "- findings: expected a valid list, found int",
        "Take over from here.",
    ]


async def test_an_output_that_is_missing_is_repaired_too(call: Call) -> None:
    producer = Producer(None, GOOD)
    graph, ran = graph_of(producer, Repair())
    await call(graph, {"messages": ["go"]})
    assert "reads the state key 'found', and the state holds None" in producer.told[1][1]
    assert ran == ["b"]


async def test_each_turn_of_the_user_has_its_own_attempts(call: Call) -> None:
    producer = Producer(BAD, WORSE, BAD, GOOD)
    graph, ran = graph_of(producer, Repair(max_attempts=1), checkpointer=InMemorySaver())
    with pytest.raises(errors.RepairError):
        await call(graph, {"messages": ["go"]}, THREAD)
    await call(graph, {"messages": ["again"]}, THREAD)
    assert ran == ["b"]


async def test_each_run_has_its_own_attempts_when_the_user_says_nothing_new(call: Call) -> None:
    producer = Producer(BAD, GOOD, WORSE, GOOD)
    graph, ran = graph_of(producer, Repair(max_attempts=1), checkpointer=InMemorySaver())
    await call(graph, {"messages": [HumanMessage("go", id="1")]}, THREAD)
    await call(graph, {"found": None}, THREAD)
    assert ran == ["b", "b"]


async def test_what_was_given_up_can_be_mended_by_hand_and_goes_on(call: Call) -> None:
    producer = Producer(BAD, BAD)
    graph, ran = graph_of(producer, Repair(), checkpointer=InMemorySaver())
    with pytest.raises(errors.RepairError):
        await call(graph, {"messages": ["go"]}, THREAD)
    graph.update_state(THREAD, {"found": GOOD}, as_node="a")
    await call(graph, None, THREAD)
    assert ran == ["b"]


async def test_an_interrupt_on_the_way_neither_loses_nor_renews_the_attempts(call: Call) -> None:
    outputs = [BAD, WORSE, WORST]

    def ask(state: Any) -> Any:
        interrupt("go on?")
        return {"found": outputs[sum(isinstance(m, HumanMessage) for m in state["messages"]) - 1]}

    graph, ran = graph_of(ask, Repair(max_attempts=2), checkpointer=InMemorySaver())
    await call(graph, {"messages": ["go"]}, THREAD)
    await call(graph, Command(resume=1), THREAD)
    await call(graph, Command(resume=1), THREAD)
    with pytest.raises(errors.RepairError, match="was sent back 2 times"):
        await call(graph, Command(resume=1), THREAD)
    assert ran == []


async def test_an_agent_is_sent_back_into_its_own_conversation(call: Call) -> None:
    class Positive(BaseModel):
        number: int

    class Loose(BaseModel):
        number: Any = None

    class Chatty(MessagesState, HandoffState, total=False):
        structured_response: Any

    def answer(number: Any, call_id: str) -> AIMessage:
        return calling({"name": "Loose", "args": {"number": number}, "id": call_id})

    model = ScriptedModel(replies=[answer("many", "1"), answer(3, "2")])
    contract = Handoff.of(Positive, id="a-to-b", from_agent="a", to_agent="b")
    builder: Any = StateGraph(Chatty)
    builder.add_node("a", create_agent(model, response_format=Loose))
    builder.add_node("b", lambda _: {})
    builder.add_edge(START, "a")
    add_handoff(builder, contract, read=lambda s: s["structured_response"].model_dump(), on_invalid=Repair())
    out = await call(builder.compile(), {"messages": ["go"]})
    assert contract.received(out).data.number == 3
    assert "number: expected a valid integer" in model.sent[1][-1].content
    assert "many" not in model.sent[1][-1].content


async def test_a_private_value_is_not_told(call: Call) -> None:
    class Secret(BaseModel):
        token: Annotated[int, Private()]

    contract = Handoff.of(Secret, id="a-to-b", from_agent="a", to_agent="b")
    producer = Producer({"token": "t0p"}, {"token": 1})
    graph, _ = graph_of(producer, Repair(), contract)
    await call(graph, {"messages": ["go"]})
    assert "- token: expected what the private field declares, found str" in producer.told[1][1]
    assert "t0p" not in producer.told[1][1]


async def test_what_the_producer_cannot_mend_is_raised_at_once(call: Call) -> None:
    def broken(_: Any) -> Any:
        raise RuntimeError

    producer = Producer(GOOD, GOOD)
    graph, _ = graph_of(producer, Repair(), read=broken)
    with pytest.raises(errors.InputError, match="its read function broken") as caught:
        await call(graph, {"messages": ["go"]})
    assert not isinstance(caught.value, errors.RepairError)
    assert len(producer.told) == 1


async def test_an_output_that_the_transform_spoils_is_raised_at_once(call: Call) -> None:
    contract = handoff(id="a-to-b", from_agent="a", to_agent="b")(lambda_free(to_brief))
    producer = Producer(GOOD, GOOD)
    graph, _ = graph_of(producer, Repair(), contract)
    with pytest.raises(errors.OutputError):
        await call(graph, {"messages": ["go"]})
    assert len(producer.told) == 1


def lambda_free(transform: Any) -> Any:
    def spoil(research: Any) -> Any:
        return "spoilt"

    spoil.__annotations__ = dict(transform.__annotations__)
    return spoil


def test_the_drawing_shows_the_way_back_and_the_fallback() -> None:
    graph, _ = graph_of(Producer(), Repair(fallback="person"))
    assert {edge.target for edge in graph.get_graph().edges if edge.source == "a-to-b"} == {"a", "b", "person"}
