"""`handoff:repair`: a run for each time that a producer is sent back, which says what was wrong and shows no value."""

from typing import Any

import pytest
from langgraph.graph import END, START, MessagesState, StateGraph
from support import BAD, GOOD, Call, make
from watching import Seen, Traced

from crux_langgraph import HandoffState, Repair, add_handoff, errors

SECRET = "tok_5e3a9c71"
WORSE = {"question": "Why?", "findings": 2}
LEAKING = {"question": "Why?", "findings": SECRET}


class Chat(MessagesState, HandoffState, total=False):
    found: Any


def graph_of(*outputs: Any, **options: Any) -> Any:
    left = list(outputs)
    builder: Any = StateGraph(Chat)
    builder.add_node("a", lambda _: {"found": left.pop(0)})
    builder.add_node("b", lambda _: {})
    builder.add_node("person", lambda _: {})
    builder.add_edge(START, "a")
    add_handoff(builder, make(), read="found", on_invalid=Repair(**options))
    builder.add_edge("b", END)
    return builder.compile()


def below(server: Any, run: dict[str, Any]) -> list[str]:
    return [child["name"] for child in server.runs if child.get("parent_run_id") == run["id"]]


async def test_it_stands_below_the_handoffs_node_once_for_each_attempt(call: Call, traced: Traced) -> None:
    await call(graph_of(BAD, WORSE, GOOD), {"messages": ["go"]})
    server = traced.sent()
    assert [below(server, node) for node in server.find("a-to-b")] == [
        ["handoff:prepare", "handoff:repair"],
        ["handoff:prepare", "handoff:repair"],
        ["handoff:prepare"],
    ]
    facts = [run["extra"]["metadata"] for run in server.find("handoff:repair")]
    assert [fact["crux_attempt"] for fact in facts] == [1, 2]
    assert {(fact["crux_handoff_id"], fact["crux_from_agent"], fact["crux_to_agent"]) for fact in facts} == {
        ("a-to-b", "a", "b")
    }


async def test_it_says_what_was_wrong_and_who_is_sent_back(call: Call, traced: Traced) -> None:
    await call(graph_of(BAD, GOOD), {"messages": ["go"]})
    [run] = traced.sent().find("handoff:repair")
    assert run["inputs"] == {
        "found": "what was given is not a valid Research",
        "problems": ["findings: expected a valid list, found str"],
    }
    assert run["outputs"]["sent_back_to"] == "a"
    assert run.get("error") is None


async def test_no_value_is_in_it(call: Call, seen: Seen) -> None:
    await call(graph_of(LEAKING, GOOD), {"messages": ["go"]}, {"callbacks": [seen]})
    [repair] = [run for run in seen.ours() if run[0] == "handoff:repair"]
    assert SECRET not in repr([repair, seen.told("handoff:repair")])


async def test_each_has_exactly_one_end(call: Call, seen: Seen) -> None:
    await call(graph_of(BAD, WORSE, GOOD), {"messages": ["go"]}, {"callbacks": [seen]})
    assert [type(end) for name, end in seen.ours("handoff:repair")] == [dict, dict]
    assert seen.twice == []
    assert seen.started.keys() == seen.ended.keys()


@pytest.mark.parametrize("fallback", [None, "person"])
async def test_giving_up_and_a_fallback_are_no_attempt(call: Call, seen: Seen, fallback: str | None) -> None:
    try:
        graph = graph_of(BAD, WORSE, max_attempts=1, fallback=fallback)
        await call(graph, {"messages": ["go"]}, {"callbacks": [seen]})
    except errors.RepairError:
        assert fallback is None
    assert len(seen.ours("handoff:repair")) == 1
    assert len(seen.ours("handoff:prepare")) == 2


async def test_nothing_is_repaired_where_all_is_well(call: Call, seen: Seen) -> None:
    await call(graph_of(GOOD), {"messages": ["go"]}, {"callbacks": [seen]})
    assert seen.ours("handoff:repair") == []
