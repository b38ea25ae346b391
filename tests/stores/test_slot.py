"""LangGraph's BaseStore as a slot: it sends, receives and lists, and says clearly that it cannot claim."""

import time
from pathlib import Path
from typing import Any

import pytest
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite import SqliteStore as LangGraphSqliteStore
from storing import both
from support import GOOD, Call, make

from crux_langgraph import errors
from crux_langgraph.stores import Lease, State, Store
from crux_langgraph.stores.slot import Slot
from crux_langgraph.testing import STORE_CHECKS

CLAIMS = (
    "claim",
    "lease",
    "exclusive",
    "consume",
    "dead_letter",
    "expired",
    "sweep",
    "due",
    "given_back",
    "kept_aside",
)
WITHOUT_CLAIMS = [
    check for check in STORE_CHECKS if not any(word in check.__name__ for word in (*CLAIMS, "one_key", "pages"))
]


@pytest.fixture(params=["memory", "sqlite"])
def slot(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "memory":
        yield Slot(InMemoryStore())
    else:
        with LangGraphSqliteStore.from_conn_string(str(tmp_path / "x.sqlite")) as store:
            store.setup()
            yield Slot(store)


@pytest.mark.parametrize("check", WITHOUT_CLAIMS, ids=lambda check: check.__name__)
def test_a_slot_keeps_the_promises_that_need_no_claim(slot: Slot, check: Any) -> None:
    assert isinstance(slot, Store)
    check(slot)


async def test_a_handoff_sends_receives_and_lists_by_a_slot(call: Call) -> None:
    inbox = make(store=Slot(InMemoryStore()))
    ids = [(await both(call, inbox, "send", {"question": f"{n}"}, scope="a.b")).id for n in range(3)]
    assert (await both(call, inbox, "receive", scope="a.b")).data.task == "2"
    assert await both(call, inbox, "receive", scope="a") is None
    assert [one.id for one in await both(call, inbox, "history", scope="a.b")] == ids[::-1]
    assert [one.id for one in await both(call, inbox, "history", scope="a.b", before=ids[2], limit=1)] == [ids[1]]
    assert (await both(call, inbox, "send", GOOD, scope="a.b", key="k")).duplicate is False
    assert (await both(call, inbox, "send", GOOD, scope="a.b", key="k")).duplicate is True
    assert await both(call, inbox, "dead") == []


async def test_a_slot_has_no_claims_and_says_what_has(call: Call) -> None:
    inbox = make(store=Slot(InMemoryStore()))
    await both(call, inbox, "send", GOOD, scope="t")
    with pytest.raises(errors.ClaimNotSupportedError, match="no conditional writes\nGive store= 'sqlite:'"):
        async with inbox.aclaim():
            pass
    with pytest.raises(errors.ClaimNotSupportedError), inbox.claim(wait_s=1):
        pass
    with pytest.raises(errors.ClaimNotSupportedError):
        await both(call, inbox, "requeue")
    lease = Lease(inbox.store.latest("a-to-b", '["t"]'), b"token")
    with pytest.raises(errors.ClaimNotSupportedError):
        inbox.store.extend(lease, lease_s=1.0)
    with pytest.raises(errors.ClaimNotSupportedError):
        inbox.store.settle(lease, State.DONE)
    assert inbox.store.due_in_s("a-to-b", None) is None


async def test_a_slot_joins_no_transaction(call: Call) -> None:
    with pytest.raises(errors.StoreError, match="joins no transaction"):
        await both(call, make(store=Slot(InMemoryStore())), "send", GOOD, scope="t", tx=object())


def test_an_expired_slot_says_so_until_it_is_swept(slot: Slot) -> None:
    inbox = make(store=slot)
    inbox.send(GOOD, scope="t", ttl_s=0.01)
    time.sleep(0.02)
    with pytest.raises(errors.EnvelopeError) as caught:
        inbox.receive(scope="t")
    assert caught.value.reason == "expired"
    inbox.send(GOOD, scope="u")
    assert (inbox.sweep(older_than_s=3600), inbox.sweep(older_than_s=0)) == (0, 1)
    assert (inbox.receive(scope="t"), inbox.receive(scope="u") is not None) == (None, True)


def test_ids_rise_also_when_the_clock_stands_still(monkeypatch: Any) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 5)
    slot = Slot(InMemoryStore())
    assert [slot._next_id() for _ in range(3)] == [5, 6, 7]


def test_a_bare_base_store_is_refused_with_the_way_to_a_slot() -> None:
    store: Any = InMemoryStore()
    with pytest.raises(errors.DefinitionError, match=r"crux_langgraph\.stores\.slot\.Slot"):
        make(store=store)
