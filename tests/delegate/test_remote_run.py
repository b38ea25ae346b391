"""What happens on a thread that others use as well, and what of a server's failures is kept."""

import pickle
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel
from support import Call, make
from test_remote_refused import answering

from crux_langgraph import Delegate, Handoff, errors
from crux_langgraph._delegate._remote_server import Server, connected
from crux_langgraph._waiting import AWAITING, BLOCKING, finish


class Ask(BaseModel):
    question: str


class Found(BaseModel):
    facts: list[str]
    note: str = ""


class Fewer(BaseModel):
    facts: list[str]


def made(url: str = "http://127.0.0.1:9", **options: Any) -> Delegate[Any, Any, Any, Any]:
    return Delegate.from_remote(url, "far", **{"handoff": make(), "args_schema": Ask, **options})


class Taken:
    """A server on which another incarnation of the same call starts its run in between."""

    def __init__(self, owner: str, reason: str = "busy") -> None:
        self._owner = owner
        self._reason = reason
        self._started = False

    async def runs(self, thread: str) -> list[dict[str, Any]]:
        run = {"run_id": "r", "status": "success", "metadata": {"crux_delegate": self._owner, "crux_step": 0}}
        return [run] if self._started else []

    async def start(self, thread: str, *args: Any, **what: Any) -> None:
        self._started = True
        raise errors.TransportError(delegate=self._owner, found="it was not started", fix="Wait.", reason=self._reason)

    async def state(self, thread: str) -> dict[str, Any]:
        return {"values": {"answer": "theirs"}, "tasks": []}


def test_a_run_that_another_incarnation_of_the_call_started_first_is_joined() -> None:
    delegate = made(output=lambda state: state)
    server: Any = Taken(delegate.id)
    run: Any = delegate._subagent.begin()
    assert finish(run._done(server, {"question": "Why?"}, {})) == {"answer": "theirs"}


def test_a_run_that_cannot_be_started_for_another_reason_is_a_failure() -> None:
    delegate = made(output=lambda state: state)
    server: Any = Taken(delegate.id, reason="failed")
    run: Any = delegate._subagent.begin()
    with pytest.raises(errors.TransportError, match="it was not started"):
        finish(run._done(server, {"question": "Why?"}, {}))


def test_only_a_run_that_is_under_way_is_cancelled() -> None:
    cancelled: list[str] = []
    runs = [{"run_id": "ended", "status": "success"}, {"run_id": "going", "status": "running"}]
    client = SimpleNamespace(
        runs=SimpleNamespace(list=lambda *_, **__: runs, cancel=lambda _, run, **__: cancelled.append(run))
    )
    subagent: Any = made()._subagent
    finish(Server(BLOCKING, client, subagent.address)._cancel("t"))
    assert cancelled == ["going"]


async def test_a_server_that_cannot_list_runs_is_not_taken_for_one_without_runs(
    call: Call, sync_may_block: None
) -> None:
    async def listed(way: Any, address: Any) -> Any:
        async with connected(way, address) as server:
            return await server.runs("t")

    with answering(500) as (url, _):
        subagent: Any = made(url)._subagent
        flow = listed(AWAITING if call.is_async else BLOCKING, subagent.address)
        with pytest.raises(errors.TransportError):
            await flow if call.is_async else finish(flow)


def test_what_a_remote_subagent_raised_survives_being_pickled() -> None:
    read = pickle.loads(pickle.dumps(errors.RemoteFailureError(kind="ValueError", text="no such page")))
    assert (read.kind, str(read)) == ("ValueError", "no such page")


def test_a_field_that_the_assistant_does_not_give_and_the_handoff_can_do_without_is_no_mismatch() -> None:
    class Publishing:
        async def schemas(self) -> dict[str, Any]:
            given = {"properties": {"structured_response": Fewer.model_json_schema()}, "type": "object"}
            return {"input_schema": None, "output_schema": given}

    delegate = made(handoff=Handoff.of(Found, id="x"))
    finish(delegate._subagent.agree(Publishing()))
