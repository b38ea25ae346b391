"""Claiming: one consumer at a time, acknowledged on leaving, redelivered after a failure, set aside when it is hopeless."""

import asyncio
import threading
import time
from typing import Any

import psycopg
import pytest
from langgraph.errors import GraphInterrupt
from storing import both, claimed, until
from support import GOOD, Call, make

from crux_langgraph import ANY, errors


async def send(call: Call, inbox: Any, *questions: str, scope: Any = "t") -> list[int]:
    return [(await both(call, inbox, "send", {"question": text}, scope=scope)).id for text in questions]


class BrokenError(Exception):
    """What a consumer's own code raises."""


async def fail(call: Call, inbox: Any, error: BaseException | None = None, **options: Any) -> None:
    """Claim, and raise in the block."""
    raised = error or BrokenError("s3cret")
    with pytest.raises(type(raised)):
        async with claimed(call, inbox, **options) as one:
            assert one
            raise raised


async def test_the_oldest_is_claimed_and_acknowledged_on_leaving(call: Call, inbox: Any) -> None:
    ids = await send(call, inbox, "1", "2")
    for position, question in enumerate("12"):
        async with claimed(call, inbox) as one:
            assert (one.id, one.scope, one.attempt, one.is_held) == (ids[position], ("t",), 1, True)
            assert one.payload.data.task == question
            assert repr(one) == f"Claimed(id={ids[position]}, scope=('t',), attempt=1)"
    async with claimed(call, inbox) as nothing:
        assert not nothing
    assert [stored.facts.status for stored in await both(call, inbox, "history", scope=ANY)] == ["done", "done"]


async def test_nothing_claimed_says_so_when_it_is_used(call: Call, inbox: Any) -> None:
    async with claimed(call, inbox) as nothing:
        assert (repr(nothing), nothing.is_held) == ("Claimed(nothing)", False)
        for use in ("payload", "id", "scope", "attempt", "thread_id"):
            with pytest.raises(errors.NotReceivedError, match="nothing was claimed"):
                getattr(nothing, use)


async def test_a_consumer_of_one_scope_leaves_the_others(call: Call, inbox: Any) -> None:
    await send(call, inbox, "1", scope="t")
    (mine,) = await send(call, inbox, "2", scope=("tenant", "u"))
    async with claimed(call, inbox, scope=("tenant", "u")) as one, claimed(call, inbox, scope="v") as nothing:
        assert (one.id, bool(nothing)) == (mine, False)


async def test_what_is_claimed_is_not_given_to_another_consumer(call: Call, inbox: Any) -> None:
    await send(call, inbox, "1")
    async with claimed(call, inbox) as one, claimed(call, inbox) as other:
        assert (bool(one), bool(other)) == (True, False)


async def test_a_failure_gives_it_back_for_another_attempt_after_a_while(call: Call, inbox: Any) -> None:
    (first,) = await send(call, inbox, "1")
    await fail(call, inbox, backoff_s=0.1)
    async with claimed(call, inbox) as nothing:
        assert not nothing
    async with claimed(call, inbox, wait_s=10) as again:
        assert (again.id, again.attempt) == (first, 2)


async def test_after_the_last_attempt_it_is_a_dead_letter_with_the_reason(call: Call, inbox: Any) -> None:
    (first,) = await send(call, inbox, "1")
    for _ in range(3):
        await fail(call, inbox, max_attempts=3, backoff_s=0.0)
    (dead,) = await both(call, inbox, "dead")
    assert (dead.id, dead.facts.reason) == (first, "failed 3 times, the last time with BrokenError")
    assert dead.payload.data.task == "1"
    assert await both(call, inbox, "dead", scope="other") == []
    assert await both(call, inbox, "requeue", first) == 1
    async with claimed(call, inbox) as again:
        assert (again.id, again.attempt) == (first, 1)
    assert await both(call, inbox, "requeue") == 0


async def test_consumers_that_die_again_and_again_make_it_a_dead_letter(call: Call, inbox: Any) -> None:
    await send(call, inbox, "1", "2")
    for _ in range(2):
        assert await asyncio.to_thread(inbox.store.claim, inbox.id, None, lease_s=0.001, exclusive=False)
        await asyncio.sleep(0.01)
    async with claimed(call, inbox, max_attempts=2) as one:
        assert one.payload.data.task == "2"
    (dead,) = await both(call, inbox, "dead")
    assert dead.facts.reason == "its consumers ended 2 times without a word"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(), GraphInterrupt()], ids=lambda e: type(e).__name__)
async def test_being_stopped_from_outside_counts_as_no_attempt(call: Call, inbox: Any, error: BaseException) -> None:
    await send(call, inbox, "1")
    for _ in range(3):
        await fail(call, inbox, error, max_attempts=2)
    async with claimed(call, inbox) as one:
        assert one.attempt == 1


async def test_a_cancelled_consumer_gives_it_back_at_once(inbox: Any) -> None:
    await inbox.asend(GOOD, scope="t")
    inside = asyncio.Event()

    async def consume() -> None:
        async with inbox.aclaim():
            inside.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(consume())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with inbox.aclaim() as one:
        assert one.attempt == 1


async def test_long_work_keeps_its_lease(call: Call, inbox: Any) -> None:
    await send(call, inbox, "1")
    async with claimed(call, inbox, lease_s=1.0) as one:
        await asyncio.sleep(1.5)
        assert one.is_held
        async with claimed(call, inbox) as other:
            assert not other
    assert [stored.facts.status for stored in await both(call, inbox, "history", scope="t")] == ["done"]


async def test_a_lost_lease_is_no_acknowledgement(call: Call, inbox: Any, store: Any) -> None:
    (first,) = await send(call, inbox, "1")
    with pytest.raises(errors.LeaseLostError, match=f"the lease of record {first} ended") as caught:
        async with claimed(call, inbox, lease_s=0.3) as one:
            await asyncio.to_thread(take_over, store, inbox)
            await until(lambda: not one.is_held)
    assert caught.value.record_id == first
    assert [stored.facts.status for stored in await both(call, inbox, "history", scope="t")] == ["ready"]


def take_over(store: Any, inbox: Any) -> None:
    """End the lease as if its time had run out, and take the record."""
    if store.family == "sqlite":
        store._connection.execute("update crux_handoff set due_s = 0")
    else:
        with psycopg.connect(store._address()) as connection:
            connection.execute("update crux_handoff set due = now()")
    assert store.claim(inbox.id, None, lease_s=60, exclusive=False)


async def test_a_failure_after_a_lost_lease_is_told_and_not_hidden(call: Call, inbox: Any, store: Any) -> None:
    await send(call, inbox, "1")
    with pytest.raises(BrokenError):
        async with claimed(call, inbox):
            await asyncio.to_thread(take_over, store, inbox)
            raise BrokenError
    assert [stored.facts.attempts for stored in await both(call, inbox, "history", scope="t")] == [2]


async def test_a_heartbeat_that_cannot_reach_the_store_tries_again(call: Call, inbox: Any, monkeypatch: Any) -> None:
    await send(call, inbox, "1")
    extend, beats = inbox.store.extend, []

    def flaky(*args: Any, **options: Any) -> bool:
        beats.append(1)
        if len(beats) == 1:
            raise errors.StoreError(handoff="x", found="y", fix="z")
        return extend(*args, **options)

    monkeypatch.setattr(inbox.store, "extend", flaky)
    async with claimed(call, inbox, lease_s=1.0) as one:
        await until(lambda: len(beats) >= 3)
        assert one.is_held


async def test_in_the_conversations_thread_a_scope_is_worked_on_in_order(call: Call, inbox: Any) -> None:
    await send(call, inbox, "1", "2", scope="t")
    await send(call, inbox, "3", scope="u")
    async with claimed(call, inbox, thread="scope") as one, claimed(call, inbox, thread="scope") as other:
        assert (one.payload.data.task, one.thread_id) == ("1", "t")
        assert (other.payload.data.task, other.thread_id) == ("3", "u")
        async with claimed(call, inbox, thread="scope") as nothing:
            assert not nothing
    async with claimed(call, inbox, thread="scope") as following:
        assert following.payload.data.task == "2"


async def test_each_record_has_a_thread_that_its_redelivery_has_too(call: Call, inbox: Any) -> None:
    await send(call, inbox, "1", "1")
    threads: list[str] = []
    for _ in range(2):
        with pytest.raises(BrokenError):
            async with claimed(call, inbox, backoff_s=0.0) as one:
                threads.append(one.thread_id)
                raise BrokenError
    async with claimed(call, inbox), claimed(call, inbox) as second:
        threads.append(second.thread_id)
    assert (threads[0] == threads[1], threads[1] == threads[2]) == (True, False)


@pytest.mark.parametrize("scope", [("tenant", "t")])
async def test_a_scope_of_several_parts_names_no_thread(call: Call, inbox: Any, scope: Any) -> None:
    await send(call, inbox, "1", scope=scope)
    async with claimed(call, inbox, thread="scope") as one:
        with pytest.raises(errors.ScopeError, match="needs a scope of one part, and this one has 2"):
            _ = one.thread_id


async def test_a_waiting_consumer_gets_what_is_sent_meanwhile(call: Call, inbox: Any) -> None:
    timer = threading.Timer(0.2, lambda: inbox.send(GOOD, scope="t"))
    timer.start()
    async with claimed(call, inbox, wait_s=20) as one:
        assert one
    timer.join()


async def test_a_waiting_receiver_gets_what_is_sent_meanwhile(call: Call, inbox: Any) -> None:
    (before,) = await send(call, inbox, "old")
    timer = threading.Timer(0.2, lambda: inbox.send({"question": "new"}, scope="t"))
    timer.start()
    assert (await both(call, inbox, "receive", scope="t", wait_s=20, after=before)).data.task == "new"
    timer.join()


async def test_waiting_ends_in_time(call: Call, inbox: Any) -> None:
    started = time.monotonic()
    assert await both(call, inbox, "receive", scope="t", wait_s=0.2) is None
    async with claimed(call, inbox, wait_s=0.2) as nothing:
        assert not nothing
    assert 0.4 <= time.monotonic() - started < 5


async def test_a_waiting_consumer_gets_what_another_lost(call: Call, inbox: Any) -> None:
    await send(call, inbox, "1")
    assert await asyncio.to_thread(inbox.store.claim, inbox.id, None, lease_s=0.3, exclusive=False)
    started = time.monotonic()
    async with claimed(call, inbox, wait_s=20) as one:
        assert one.attempt == 2
    assert time.monotonic() - started < 15


async def test_a_hundred_waiting_consumers_hold_no_thread(inbox: Any) -> None:
    async def consume() -> int:
        async with inbox.aclaim(wait_s=20) as one:
            return one.id if one else 0

    tasks = [asyncio.create_task(consume()) for _ in range(100)]
    await asyncio.sleep(0.3)
    threads = threading.active_count()
    sent = [(await inbox.asend(GOOD, scope=f"{n}")).id for n in range(100)]
    assert sorted(await asyncio.gather(*tasks)) == sorted(sent)
    assert threads < 60


async def test_a_sweep_deletes_what_was_acknowledged(call: Call, inbox: Any) -> None:
    await send(call, inbox, "1", "2")
    async with claimed(call, inbox) as one:
        assert one
    assert await both(call, inbox, "sweep", older_than_s=3600) == 0
    assert await both(call, inbox, "sweep", older_than_s=0) == 1
    assert (await both(call, inbox, "receive", scope="t")).data.task == "2"


def test_claims_need_a_store_before_the_block(monkeypatch: Any) -> None:
    monkeypatch.delenv("CRUX_HANDOFF_URL", raising=False)
    for method in ("claim", "aclaim"):
        with pytest.raises(errors.NoStoreError, match=rf"{method}\(\) needs a store"):
            getattr(make(), method)()
