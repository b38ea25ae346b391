"""Graphs with handoffs, delegates and a store simply work on LangGraph's Agent Server."""

from typing import Any
from uuid import uuid4

import pytest
from app.desk import research_to_writer

pytestmark = pytest.mark.serving


async def ended(client: Any, thread: str, **given: Any) -> Any:
    run = await client.runs.create(thread, "desk", if_not_exists="create", **given)
    await client.runs.join(thread, run["run_id"])
    return await client.threads.get_state(thread)


async def test_a_run_asks_a_person_and_hands_over_when_it_is_resumed(client: Any) -> None:
    question, thread = f"Why {uuid4()}?", str(uuid4())
    state = await ended(client, thread, input={"messages": [{"role": "user", "content": question}]})
    asked = state["tasks"][0]["interrupts"][0]
    assert (state["next"], asked["value"]) == (["research"], {"found": ["Nothing yet."]})
    state = await ended(client, thread, command={"resume": {asked["id"]: "Air."}})
    (record,) = state["values"]["handoffs"].values()
    payload = research_to_writer.from_envelope(record)
    assert (payload.data.task, payload.data.facts) == (question, ["Nothing yet.", "A person says: Air."])
    assert state["values"]["messages"][-1]["content"] == "Nothing yet. A person says: Air."
    # The writer put its answer into the server's store, where the delegate of another conversation finds it.
    state = await ended(client, str(uuid4()), input={"messages": [{"role": "user", "content": question}]})
    assert state["tasks"][0]["interrupts"][0]["value"] == {"found": ["Seen before: Nothing yet. A person says: Air."]}


async def test_a_run_streams_its_handoff_as_an_update_of_its_own(client: Any) -> None:
    thread = str(uuid4())
    state = await ended(client, thread, input={"messages": [{"role": "user", "content": f"Why {thread}?"}]})
    answer = {state["tasks"][0]["interrupts"][0]["id"]: "Air."}
    stream = client.runs.stream(thread, "desk", command={"resume": answer}, stream_mode="updates")
    nodes = [node async for part in stream if part.event == "updates" for node in part.data]
    assert nodes == ["research", "research-to-writer", "writer"]


async def test_studio_draws_the_handoff_between_its_agents(client: Any) -> None:
    drawn = await client.assistants.get_graph("desk")
    edges = [(edge["source"], edge["target"]) for edge in drawn["edges"]]
    assert edges == [
        ("__start__", "research"),
        ("research", "research-to-writer"),
        ("research-to-writer", "writer"),
        ("writer", "__end__"),
    ]
