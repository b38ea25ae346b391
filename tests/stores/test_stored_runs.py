"""The runs of stored handoffs: sending, receiving and claiming, linked to the sender's, and private in none."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel
from storing import both, claimed, in_memory
from support import BAD, GOOD, Call, make

from crux_langgraph import Handoff, Private, errors
from crux_langgraph.testing import capture_runs

inbox = pytest.fixture(in_memory)


async def test_a_send_and_a_receive_are_runs_that_know_of_each_other(call: Call, inbox: Any) -> None:
    with capture_runs() as runs:
        sent = await both(call, inbox, "send", GOOD, scope="t", key="k")
        await both(call, inbox, "send", GOOD, scope="t", key="k")
        await both(call, inbox, "receive", scope="t")
        assert await both(call, inbox, "receive", scope="u") is None
    first, again = runs.find("handoff:send")
    (prepared,) = runs.find("handoff:prepare")
    received, nothing = runs.find("handoff:receive")
    assert prepared.run.parent_run_id == first.run.id
    assert (first.outputs["record"], first.outputs["duplicate"], again.outputs["duplicate"]) == (sent.id, False, True)
    assert received.metadata["crux_sender_run_id"] == str(first.run.id)
    assert received.metadata["crux_record_id"] == sent.id
    assert received.outputs["payload"] == {"task": "Why?", "facts": ["one", "two"]}
    assert nothing.outputs["record"] is None
    assert first.metadata["crux_scope"] == '["t"]'


async def test_a_record_leads_to_no_run_where_langchain_refuses_to_configure(
    call: Call, inbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with capture_runs() as refused, monkeypatch.context() as patched:
        patched.setenv("LANGCHAIN_TRACING", "true")  # the first kind of tracing, which is no longer supported
        await both(call, inbox, "send", GOOD, scope="t")
    with capture_runs() as runs:
        await both(call, inbox, "receive", scope="t")
    assert refused.runs == []
    assert "crux_sender_run_id" not in runs.find("handoff:receive")[0].metadata


async def test_a_claim_is_a_run_around_the_consumers_work(call: Call, inbox: Any) -> None:
    await both(call, inbox, "send", GOOD, scope="t")
    with capture_runs() as runs:
        async with claimed(call, inbox) as one:
            await call.prepare(make(id="inside"), {"question": one.payload.data.task})
        async with claimed(call, inbox) as nothing:
            assert not nothing
    (run,) = runs.find("handoff:claim")
    (inside,) = runs.find("handoff:prepare")
    assert inside.run.parent_run_id == run.run.id
    assert (run.outputs["acknowledged"], run.metadata["crux_attempt"], run.error) == (True, 1, None)


async def test_what_fails_ends_its_run_as_an_error(call: Call, inbox: Any) -> None:
    with capture_runs() as runs:
        with pytest.raises(errors.InputError):
            await both(call, inbox, "send", BAD, scope="t")
        await both(call, inbox, "send", GOOD, scope="t")
        with pytest.raises(RuntimeError):
            async with claimed(call, inbox):
                raise RuntimeError
    assert "InputError" in runs.find("handoff:send")[0].error
    assert "RuntimeError" in runs.find("handoff:claim")[0].error


async def test_private_values_are_in_no_run_of_a_stored_handoff(call: Call, inbox: Any) -> None:
    class Secretive(BaseModel):
        text: str
        token: Annotated[str, Private()]

    secret = Handoff.of(Secretive, id="secret", store=inbox.store)
    with capture_runs() as runs:
        await both(call, secret, "send", {"text": "x", "token": "s3cret"}, scope="t")
        await both(call, secret, "receive", scope="t")
        async with claimed(call, secret):
            pass
    assert len(runs.runs) == 4
    assert "s3cret" not in repr([(run.inputs, run.outputs, run.metadata) for run in runs.runs])
