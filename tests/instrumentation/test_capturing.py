"""`capture_runs` catches every run of a block, ours and LangChain's, for users' own tests."""

import threading
from contextvars import copy_context
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from support import BAD, Brief, Call, Research, ScriptedModel, make, to_brief, two_agents

from crux_langgraph import errors, handoff
from crux_langgraph.testing import capture_runs

ANSWER = AIMessage("hi", usage_metadata={"input_tokens": 5, "output_tokens": 2, "total_tokens": 7})


async def test_the_runs_of_a_block_are_caught_as_trees(call: Call) -> None:
    model = ScriptedModel(replies=[ANSWER])

    def transform(research: Research) -> Brief:
        model.invoke("hello")
        return to_brief(research)

    contract = handoff(id="a-to-b", from_agent="a", to_agent="b")(transform)
    with capture_runs() as captured:
        await call(two_agents(contract).compile(), {})
    await call(two_agents(make()).compile(), {})
    assert captured.outline() == "LangGraph\n  a\n  a-to-b\n    handoff:prepare\n      ScriptedModel\n  b"
    [run] = captured.find("handoff:prepare")
    assert (run.kind, run.error, run.is_open, run.model_tokens) == ("chain", None, False, 7)
    assert run.outputs["crux"]["crux_tier"] == run.metadata["crux_tier"] == "verbatim"
    assert run.inputs["input"]["question"] == "Why?"
    assert 0 < run.duration_s < captured.roots[0].duration_s
    assert [child.kind for child in run.children] == ["chat_model"]
    assert len(captured.runs) == 6


async def test_a_failed_run_is_marked_and_tells_its_error(call: Call) -> None:
    with capture_runs() as captured, pytest.raises(errors.InputError):
        await call(two_agents(make(), found=BAD).compile(), {})
    assert captured.outline().endswith("a-to-b  failed\n    handoff:prepare  failed")
    assert "layer: input" in str(captured.find("handoff:prepare")[0].error)


def test_a_run_that_has_not_ended_is_open() -> None:
    def transform(research: Research) -> Brief:
        [run] = captured.find("handoff:prepare")
        assert (run.is_open, run.duration_s, run.outputs) == (True, 0.0, {})
        return to_brief(research)

    with capture_runs() as captured:
        handoff(transform).prepare({"question": "Why?"})


def test_a_thread_with_a_copied_context_is_caught_too() -> None:
    def work(*_: Any) -> None:
        make().prepare({"question": "Why?"})

    with capture_runs() as captured:
        for target in (copy_context().run, work):
            thread = threading.Thread(target=target, args=(work,))
            thread.start()
            thread.join()
    assert captured.outline() == "handoff:prepare"
