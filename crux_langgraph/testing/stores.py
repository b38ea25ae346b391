"""The conformance suite of stores: what stored handoffs rely on, one promise a check.

A backend's own tests run each on an empty store:

    @pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
    def test_my_store(check, tmp_path):
        check(MyStore(tmp_path))
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from crux_langgraph.stores import Entry, Lease, Record, State, Store

__all__ = ["STORE_CHECKS", "check_store"]

_HANDOFF = "a-to-b"
_LEASE_S = 30.0
_SHORT_S = 0.05
_SETTLE_S = 0.2
_NEAR_S = 60.0
_MANY = 60
_ALL = (State.READY, State.DONE, State.DEAD)

StoreCheck = Callable[[Store], None]


def check_store(open_store: Callable[[], Store]) -> None:
    """Run every check, each on an empty store that `open_store` gives. Raises `AssertionError` naming the promise."""
    for check in STORE_CHECKS:
        store = open_store()
        try:
            check(store)
        finally:
            store.close()


def what_was_appended_is_read_back_whole(store: Store) -> None:
    """Every byte of body and digest, the key, the meta data and the version come back."""
    body = bytes(range(256)) * 8
    entry = Entry(_HANDOFF, "[]", body, b"\x00digest\xff", version=3, key="k", meta='{"é": "\\u0000"}', ttl_s=60.0)
    sent = store.append(entry)
    record = _one(store.get(_HANDOFF, sent.id))
    _same("the record", _plain(record)[1:6], (_HANDOFF, "[]", "k", 3, entry.meta))
    _same("its bytes", (bytes(record.digest), bytes(record.body)), (entry.digest, body))
    _same("its state", (record.state, record.attempts, record.reason, bool(record.expired)), (0, 0, None, False))
    _true("it expires after ttl_s", abs((record.expires_s or 0.0) - record.created_s - 60) < 1)
    _true("its time is now", abs(record.created_s - time.time()) < _NEAR_S)
    _same("another handoff does not see it", store.get("other", sent.id), None)


def ids_of_a_scope_rise(store: Store) -> None:
    """A reader that remembers the last id it saw finds everything that came later."""
    ids = [_append(store, f"{n}") for n in range(5)]
    _same("the order", ids, sorted(set(ids)))


def a_key_is_stored_once_per_scope(store: Store) -> None:
    """A repetition gives the first id and adds nothing; in another scope or handoff it is another send."""
    first = store.append(_entry("one", key="k"))
    again = store.append(_entry("two", key="k"))
    _same("the repetition", tuple(again), (first.id, True))
    _same("what is stored", _bodies(store), ["one"])
    _same("found by its key", store.find(_HANDOFF, "s", "k"), first.id)
    _same("not found", (store.find(_HANDOFF, "t", "k"), store.find(_HANDOFF, "s", "l")), (None, None))
    others = [store.append(_entry("one", key="k", scope="t")), store.append(_entry("one", key="k", handoff="other"))]
    _same("elsewhere", [other.duplicate for other in others], [False, False])


def one_key_from_many_threads_is_stored_once(store: Store) -> None:
    """Of sends at the same time one is the first, and the others are told its id."""
    sent = _threads(8, lambda n: store.append(_entry(f"{n}", key="k")))
    _same("stored", (len({one.id for one in sent}), sum(not one.duplicate for one in sent)), (1, 1))


def the_newest_of_a_scope_is_not_consumed_by_looking(store: Store) -> None:
    """`latest` gives the newest of one scope, above an id, whatever became of it."""
    _same("nothing was sent", store.latest(_HANDOFF, "s"), None)
    first, second = _append(store, "one"), _append(store, "two")
    _append(store, "elsewhere", scope="t")
    for _ in range(2):
        _same("the newest", _one(store.latest(_HANDOFF, "s")).id, second)
    _same("after the first", _one(store.latest(_HANDOFF, "s", after=first)).id, second)
    _same("after the second", store.latest(_HANDOFF, "s", after=second), None)
    _done(store, _claimed(store))
    _done(store, _claimed(store))
    _same("also when it is done", _one(store.latest(_HANDOFF, "s")).id, second)


def what_is_kept_aside_is_no_message(store: Store) -> None:
    """A payload that a graph state refers to is read by its id, and never received, claimed or listed."""
    kept = store.append(_entry("kept")._replace(state=State.KEPT))
    _same("latest", store.latest(_HANDOFF, "s"), None)
    _same("claim", _claim(store), None)
    _same("page", _page(store), [])
    _same("by its id", bytes(_one(store.get(_HANDOFF, kept.id)).body), b"kept")


def pages_go_from_new_to_old(store: Store) -> None:
    """A page has the states that were asked for, of one scope or all, below an id, and at most `limit`."""
    ids = [_append(store, f"{n}", scope="st"[n % 2]) for n in range(6)]
    _done(store, _claimed(store))
    _same("all", [record.id for record in _page(store)], ids[::-1])
    _same("a scope", [record.id for record in _page(store, "t")], ids[5::-2])
    _same("ready", len(_page(store, states=(State.READY,))), 5)
    _same("done", [record.id for record in _page(store, states=(State.DONE,))], ids[:1])
    _same("below", [record.id for record in _page(store, before=ids[2], limit=1)], [ids[1]])
    _same("below, in a scope", [record.id for record in _page(store, "s", before=ids[4], limit=1)], [ids[2]])


def the_oldest_is_claimed_first_by_one_consumer(store: Store) -> None:
    """What is leased is not given to anybody else; a scope, or any, may be asked for."""
    one, two = _append(store, "one"), _append(store, "two", scope="t")
    _same("by its scope", _one_lease(_claim(store, "t")).record.id, two)
    lease = _one_lease(_claim(store))
    _same("the other", (lease.record.id, lease.record.attempts), (one, 1))
    _same("nothing is left", (_claim(store), _claim(store, "s"), _claim(store, "none")), (None, None, None))
    _same("acknowledged", store.settle(lease, State.DONE), True)
    _same("only once", store.settle(lease, State.DONE), False)
    _same("not given again", _claim(store, "s"), None)


def an_exclusive_claim_keeps_the_order_of_a_scope(store: Store) -> None:
    """One consumer at a time has a scope, and gets its records in order, also after a failure."""
    first, second, other = _append(store, "1"), _append(store, "2"), _append(store, "3", scope="t")
    lease = _one_lease(_claim(store, exclusive=True))
    _same("the first", lease.record.id, first)
    _same("the scope is taken", _claim(store, "s", exclusive=True), None)
    _same("another scope", _one_lease(_claim(store, exclusive=True)).record.id, other)
    store.settle(lease, State.READY, delay_s=_LEASE_S)
    _same("the first waits", _claim(store, exclusive=True), None)
    again = _append(store, "4", scope="u")
    _same("a free scope", _one_lease(_claim(store, exclusive=True)).record.id, again)
    store.settle(_one_lease(_claim(store, "s")), State.DEAD, reason="r")
    _same("the second is left to others", _page(store, "s", states=(State.READY,))[0].id, first)
    _true("the dead one was the second", _page(store, states=(State.DEAD,))[0].id == second)


def an_ended_lease_is_fenced(store: Store) -> None:
    """After its lease a record goes to the next consumer, and the first one can neither acknowledge nor extend it."""
    _append(store, "one")
    late = _one_lease(_claim(store, lease_s=_SHORT_S))
    _wait_until(lambda: store.due_in_s(_HANDOFF, None) is None)
    lease = _one_lease(_claim(store))
    _same("the attempt", lease.record.attempts, 2)
    _same("extend", store.extend(late, lease_s=_LEASE_S), False)
    _same("settle", [store.settle(late, state, reason="r") for state in _ALL], [False] * 3)
    _same("the holder", (store.extend(lease, lease_s=_LEASE_S), store.settle(lease, State.DONE)), (True, True))


def a_lease_lasts_as_long_as_it_is_extended(store: Store) -> None:
    """Extending counts from now."""
    _append(store, "one")
    lease = _one_lease(_claim(store, lease_s=_SHORT_S))
    _same("extended", store.extend(lease, lease_s=_LEASE_S), True)
    time.sleep(_SHORT_S)
    _same("not given to others", _claim(store), None)


def what_is_given_back_waits_its_delay(store: Store) -> None:
    """It is delivered again after the delay; the attempt counts unless it is said not to."""
    _append(store, "one")
    _append(store, "other", scope="t")
    _same("given back", store.settle(_one_lease(_claim(store, "t")), State.READY, delay_s=_LEASE_S), True)
    _same("not yet", _claim(store, "t"), None)
    _true("due", 0 < (store.due_in_s(_HANDOFF, "t") or 0.0) <= _LEASE_S)
    _same("given back", store.settle(_one_lease(_claim(store)), State.READY, delay_s=_SHORT_S), True)
    _wait_until(lambda: store.due_in_s(_HANDOFF, "s") is None)
    again = _one_lease(_claim(store, "s"))
    _same("the second attempt", again.record.attempts, 2)
    store.settle(again, State.READY, counted=False)
    _same("not counted", _one_lease(_claim(store, "s")).record.attempts, 2)


def a_dead_letter_is_kept_with_its_reason(store: Store) -> None:
    """It is delivered again only when it is requeued, and then as if for the first time."""
    ids = [_append(store, f"{n}") for n in range(3)]
    for _ in ids:
        store.settle(_claimed(store), State.DEAD, reason="it was bad")
    _same(
        "dead",
        [(one.id, one.reason) for one in _page(store, states=(State.DEAD,))],
        [(id_, "it was bad") for id_ in ids[::-1]],
    )
    _same("not delivered", _claim(store), None)
    _same("one is requeued", (store.requeue(_HANDOFF, ids[1]), store.requeue(_HANDOFF, ids[1])), (1, 0))
    lease = _one_lease(_claim(store))
    _same("as if new", (lease.record.id, lease.record.attempts, lease.record.reason), (ids[1], 1, None))
    _same("the others", (store.requeue("other", None), store.requeue(_HANDOFF, None)), (0, 2))
    _same("delivered", [_claimed(store).record.id for _ in range(2)], [ids[0], ids[2]])


def what_has_expired_says_so(store: Store) -> None:
    """An expired record is still given, marked as expired: it is not silently gone."""
    store.append(_entry("two", scope="t")._replace(ttl_s=_LEASE_S))
    _same("not yet", bool(_one(store.latest(_HANDOFF, "t")).expired), False)
    store.append(_entry("one")._replace(ttl_s=_SHORT_S))
    _wait_until(lambda: bool(_one(store.latest(_HANDOFF, "s")).expired))
    _same("claimed", bool(_one_lease(_claim(store, "s")).record.expired), True)


def a_sweep_takes_only_what_is_over(store: Store) -> None:
    """Done, kept and expired records go when they are old enough; what waits or is dead stays."""
    for name in ("done", "dead"):
        _append(store, name)
    store.append(_entry("expired")._replace(ttl_s=0.001))
    store.append(_entry("kept")._replace(state=State.KEPT))
    last = _append(store, "waits")
    _done(store, _claimed(store))
    store.settle(_claimed(store), State.DEAD, reason="r")
    time.sleep(_SHORT_S)
    _same("too young", store.sweep(_HANDOFF, older_than_s=3600), 0)
    _same("another handoff's", store.sweep("other", older_than_s=0), 0)
    _same("swept", store.sweep(_HANDOFF, older_than_s=0), 3)
    _same("what stays", sorted(_bodies(store)), ["dead", "waits"])
    _true("no id is given again", _append(store, "new") > last)


def nothing_is_due_where_nothing_waits(store: Store) -> None:
    """Only what is leased or delayed falls due."""
    _append(store, "one")
    _same("ready already", (store.due_in_s(_HANDOFF, None), store.due_in_s(_HANDOFF, "s")), (None, None))
    _claimed(store)
    _true("the end of the lease", 0 < (store.due_in_s(_HANDOFF, None) or 0.0) <= _LEASE_S)
    _same("another scope", store.due_in_s(_HANDOFF, "t"), None)


def a_send_wakes_those_who_wait_for_it(store: Store) -> None:
    """A ring is heard by who watches the scope or the handoff, at once."""
    with store.watch(_HANDOFF, "s") as one, store.watch(_HANDOFF, None) as whole:
        for ticket in (one, whole):
            ticket.wait(_SETTLE_S)  # a store may ring once when it begins to listen
        sender = threading.Timer(_SHORT_S, _append, (store, "one"))
        started = time.monotonic()
        sender.start()
        for ticket in (one, whole):
            ticket.wait(_LEASE_S)
        _true("woken", time.monotonic() - started < _LEASE_S / 2)
        sender.join()


def many_consumers_share_without_loss(store: Store) -> None:
    """Each record goes to one consumer, also when they all ask at once."""
    ids = [_append(store, f"{n}", scope="st"[n % 2]) for n in range(_MANY)]

    def consume(_: int) -> list[int]:
        mine: list[int] = []
        while (lease := _claim(store)) is not None:
            _done(store, lease)
            mine.append(lease.record.id)
        return mine

    shares = _threads(4, consume)
    _same("each once", sorted(id_ for share in shares for id_ in share), ids)
    _true("each consumer in order", all(share == sorted(share) for share in shares))


def a_closed_store_opens_again(store: Store) -> None:
    """Closing releases; using opens."""
    _append(store, "one")
    store.close()
    store.close()
    _true("it works again", _append(store, "two") > 0)


STORE_CHECKS: tuple[StoreCheck, ...] = (
    what_was_appended_is_read_back_whole,
    ids_of_a_scope_rise,
    a_key_is_stored_once_per_scope,
    one_key_from_many_threads_is_stored_once,
    the_newest_of_a_scope_is_not_consumed_by_looking,
    what_is_kept_aside_is_no_message,
    pages_go_from_new_to_old,
    the_oldest_is_claimed_first_by_one_consumer,
    an_exclusive_claim_keeps_the_order_of_a_scope,
    an_ended_lease_is_fenced,
    a_lease_lasts_as_long_as_it_is_extended,
    what_is_given_back_waits_its_delay,
    a_dead_letter_is_kept_with_its_reason,
    what_has_expired_says_so,
    a_sweep_takes_only_what_is_over,
    nothing_is_due_where_nothing_waits,
    a_send_wakes_those_who_wait_for_it,
    many_consumers_share_without_loss,
    a_closed_store_opens_again,
)
"""Every check: each is called with an empty store and raises `AssertionError` when the store does not keep the promise."""


def _entry(body: str, *, scope: str = "s", handoff: str = _HANDOFF, key: str | None = None) -> Entry:
    return Entry(handoff, scope, body.encode(), b"digest", key=key)


def _append(store: Store, body: str, scope: str = "s") -> int:
    return store.append(_entry(body, scope=scope)).id


def _claim(
    store: Store, scope: str | None = None, *, lease_s: float = _LEASE_S, exclusive: bool = False
) -> Lease | None:
    return store.claim(_HANDOFF, scope, lease_s=lease_s, exclusive=exclusive)


def _claimed(store: Store) -> Lease:
    return _one_lease(_claim(store))


def _done(store: Store, lease: Lease) -> None:
    _same("acknowledged", store.settle(lease, State.DONE), True)


def _page(
    store: Store,
    scope: str | None = None,
    *,
    states: tuple[State, ...] = _ALL,
    before: int | None = None,
    limit: int = 100,
) -> list[Record]:
    return store.page(_HANDOFF, scope, states=states, before=before, limit=limit)


def _bodies(store: Store) -> list[str]:
    return [bytes(record.body).decode() for record in _page(store)]


def _plain(record: Record) -> tuple[Any, ...]:
    return tuple(record)


def _one(record: Record | None) -> Record:
    if record is None:
        message = "there is no record where one was expected"
        raise AssertionError(message)
    return record


def _one_lease(lease: Lease | None) -> Lease:
    if lease is None:
        message = "nothing could be claimed where something was free"
        raise AssertionError(message)
    return lease


def _same(what: str, found: object, expected: object) -> None:
    _true(f"{what} is {found!r} and should be {expected!r}", found == expected)


def _true(what: str, holds: object) -> None:
    if not holds:
        raise AssertionError(what)


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _LEASE_S
    while not holds():
        _true("it happens in time", time.monotonic() < deadline)
        time.sleep(_SHORT_S / 5)


def _threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    results: list[Any] = [None] * count
    ready = threading.Barrier(count)

    def run(n: int) -> None:
        ready.wait()
        results[n] = work(n)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
