"""A thread that is busy when a call comes: with somebody else's run, or with a run of the same call."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from remote import far
from support import Call

from crux_langgraph import errors
from crux_langgraph._delegate import _remote_run
from crux_langgraph._delegate._remote_server import Server

pytestmark = pytest.mark.serving


@pytest.fixture
def thread(monkeypatch: pytest.MonkeyPatch) -> str:
    """The thread of the next call, known beforehand."""
    known = str(uuid4())
    monkeypatch.setattr(_remote_run, "thread_for", lambda *_: known)
    return known


async def test_a_run_of_somebody_else_is_neither_joined_nor_disturbed(
    call: Call, url: str, client: Any, thread: str
) -> None:
    other = await client.runs.create(thread, "far", input={"do": "nap", "data": 20}, if_not_exists="create")
    with pytest.raises(errors.TransportError) as caught:
        await call.run(far(url), {"do": "echo", "data": 1})
    assert (caught.value.reason, errors.is_retryable(caught.value)) == ("busy", True)
    (only,) = await client.runs.list(thread)
    assert (only["run_id"], only["status"] in ("pending", "running")) == (other["run_id"], True)
    await client.runs.cancel(thread, other["run_id"], wait=True)
    # When it has ended the thread can be used, and what it left there is not taken for a result.
    assert (await call.run(far(url), {"do": "echo", "data": 1})).data.out == 1


async def test_two_incarnations_of_one_call_share_one_run(
    url: str, client: Any, thread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_looked = asyncio.Barrier(2)
    look, looks = Server.runs, list[str]()

    async def runs(self: Server, thread: str) -> Any:
        looks.append(thread)
        found = await look(self, thread)
        if len(looks) <= 2:
            await both_looked.wait()
        return found

    monkeypatch.setattr(Server, "runs", runs)
    made = far(url)
    one, two = await asyncio.gather(*[made.arun({"do": "nap", "data": 0.5}) for _ in range(2)])
    assert one.data == two.data
    (only,) = await client.runs.list(thread)
    assert only["status"] == "success"
