"""The conformance suite of stores: what stored handoffs rely on, one promise a check.

A backend's own tests run each on an empty store:

    @pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
    def test_my_store(check, tmp_path):
        check(MyStore(tmp_path))
"""

import threading
import time
from collections.abc import Callable

from crux_langgraph.stores import Entry, State, Store
from crux_langgraph.testing._checking import (
    ALL,
    HANDOFF,
    LEASE_S,
    SHORT_S,
    append,
    bodies,
    claim,
    claimed,
    done,
    entry,
    in_threads,
    one,
    one_lease,
    page,
    require,
    require_same,
    wait_until,
)

__all__ = ["STORE_CHECKS", "check_store"]

_SETTLE_S = 0.2
_NEAR_S = 60.0
_MANY = 60

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
    entry = Entry(HANDOFF, "[]", body, b"\x00digest\xff", version=3, key="k", meta='{"é": "\\u0000"}', ttl_s=60.0)
    sent = store.append(entry)
    record = one(store.get(HANDOFF, sent.id))
    require_same("the record", tuple(record)[1:6], (HANDOFF, "[]", "k", 3, entry.meta))
    require_same("its bytes", (bytes(record.digest), bytes(record.body)), (entry.digest, body))
    require_same("its state", (record.state, record.attempts, record.reason, bool(record.expired)), (0, 0, None, False))
    require("it expires after ttl_s", abs((record.expires_s or 0.0) - record.created_s - 60) < 1)
    require("its time is now", abs(record.created_s - time.time()) < _NEAR_S)
    require_same("another handoff does not see it", store.get("other", sent.id), None)


def ids_of_a_scope_rise(store: Store) -> None:
    """A reader that remembers the last id it saw finds everything that came later."""
    ids = [append(store, f"{n}") for n in range(5)]
    require_same("the order", ids, sorted(set(ids)))


def a_key_is_stored_once_per_scope(store: Store) -> None:
    """A repetition gives the first id and adds nothing; in another scope or handoff it is another send."""
    first = store.append(entry("one", key="k"))
    again = store.append(entry("two", key="k"))
    require_same("the repetition", tuple(again), (first.id, True))
    require_same("what is stored", bodies(store), ["one"])
    require_same("found by its key", store.find(HANDOFF, "s", "k"), first.id)
    require_same("not found", (store.find(HANDOFF, "t", "k"), store.find(HANDOFF, "s", "l")), (None, None))
    others = [store.append(entry("one", key="k", scope="t")), store.append(entry("one", key="k", handoff="other"))]
    require_same("elsewhere", [other.duplicate for other in others], [False, False])


def one_key_from_many_threads_is_stored_once(store: Store) -> None:
    """Of sends at the same time one is the first, and the others are told its id."""
    sent = in_threads(8, lambda n: store.append(entry(f"{n}", key="k")))
    require_same("stored", (len({one.id for one in sent}), sum(not one.duplicate for one in sent)), (1, 1))


def the_newest_of_a_scope_is_not_consumed_by_looking(store: Store) -> None:
    """`latest` gives the newest of one scope, above an id, whatever became of it."""
    require_same("nothing was sent", store.latest(HANDOFF, "s"), None)
    first, second = append(store, "one"), append(store, "two")
    append(store, "elsewhere", scope="t")
    for _ in range(2):
        require_same("the newest", one(store.latest(HANDOFF, "s")).id, second)
    require_same("after the first", one(store.latest(HANDOFF, "s", after=first)).id, second)
    require_same("after the second", store.latest(HANDOFF, "s", after=second), None)
    done(store, claimed(store))
    done(store, claimed(store))
    require_same("also when it is done", one(store.latest(HANDOFF, "s")).id, second)


def what_is_kept_aside_is_no_message(store: Store) -> None:
    """A payload that a graph state refers to is read by its id, and never received, claimed or listed."""
    kept = store.append(entry("kept")._replace(state=State.KEPT))
    require_same("latest", store.latest(HANDOFF, "s"), None)
    require_same("claim", claim(store), None)
    require_same("page", page(store), [])
    require_same("by its id", bytes(one(store.get(HANDOFF, kept.id)).body), b"kept")


def pages_go_from_new_to_old(store: Store) -> None:
    """A page has the states that were asked for, of one scope or all, below an id, and at most `limit`."""
    ids = [append(store, f"{n}", scope="st"[n % 2]) for n in range(6)]
    done(store, claimed(store))
    require_same("all", [record.id for record in page(store)], ids[::-1])
    require_same("a scope", [record.id for record in page(store, "t")], ids[5::-2])
    require_same("ready", len(page(store, states=(State.READY,))), 5)
    require_same("done", [record.id for record in page(store, states=(State.DONE,))], ids[:1])
    require_same("below", [record.id for record in page(store, before=ids[2], limit=1)], [ids[1]])
    require_same("below, in a scope", [record.id for record in page(store, "s", before=ids[4], limit=1)], [ids[2]])


def the_oldest_is_claimed_first_by_one_consumer(store: Store) -> None:
    """What is leased is not given to anybody else; a scope, or any, may be asked for."""
    one, two = append(store, "one"), append(store, "two", scope="t")
    require_same("by its scope", one_lease(claim(store, "t")).record.id, two)
    lease = one_lease(claim(store))
    require_same("the other", (lease.record.id, lease.record.attempts), (one, 1))
    require_same("nothing is left", (claim(store), claim(store, "s"), claim(store, "none")), (None, None, None))
    require_same("acknowledged", store.settle(lease, State.DONE), True)
    require_same("only once", store.settle(lease, State.DONE), False)
    require_same("not given again", claim(store, "s"), None)


def an_exclusive_claim_keeps_the_order_of_a_scope(store: Store) -> None:
    """One consumer at a time has a scope, and gets its records in order, also after a failure."""
    first, second, other = append(store, "1"), append(store, "2"), append(store, "3", scope="t")
    lease = one_lease(claim(store, exclusive=True))
    require_same("the first", lease.record.id, first)
    require_same("the scope is taken", claim(store, "s", exclusive=True), None)
    require_same("another scope", one_lease(claim(store, exclusive=True)).record.id, other)
    store.settle(lease, State.READY, delay_s=LEASE_S)
    require_same("the first waits", claim(store, exclusive=True), None)
    again = append(store, "4", scope="u")
    require_same("a free scope", one_lease(claim(store, exclusive=True)).record.id, again)
    store.settle(one_lease(claim(store, "s")), State.DEAD, reason="r")
    require_same("the second is left to others", page(store, "s", states=(State.READY,))[0].id, first)
    require("the dead one was the second", page(store, states=(State.DEAD,))[0].id == second)


def an_ended_lease_is_fenced(store: Store) -> None:
    """After its lease a record goes to the next consumer, and the first one can neither acknowledge nor extend it."""
    append(store, "one")
    late = one_lease(claim(store, lease_s=SHORT_S))
    wait_until(lambda: store.due_in_s(HANDOFF, None) is None)
    lease = one_lease(claim(store))
    require_same("the attempt", lease.record.attempts, 2)
    require_same("extend", store.extend(late, lease_s=LEASE_S), False)
    require_same("settle", [store.settle(late, state, reason="r") for state in ALL], [False] * 3)
    require_same("the holder", (store.extend(lease, lease_s=LEASE_S), store.settle(lease, State.DONE)), (True, True))


def a_lease_lasts_as_long_as_it_is_extended(store: Store) -> None:
    """Extending counts from now."""
    append(store, "one")
    lease = one_lease(claim(store, lease_s=SHORT_S))
    require_same("extended", store.extend(lease, lease_s=LEASE_S), True)
    time.sleep(SHORT_S)
    require_same("not given to others", claim(store), None)


def what_is_given_back_waits_its_delay(store: Store) -> None:
    """It is delivered again after the delay; the attempt counts unless it is said not to."""
    append(store, "one")
    append(store, "other", scope="t")
    require_same("given back", store.settle(one_lease(claim(store, "t")), State.READY, delay_s=LEASE_S), True)
    require_same("not yet", claim(store, "t"), None)
    require("due", 0 < (store.due_in_s(HANDOFF, "t") or 0.0) <= LEASE_S)
    require_same("given back", store.settle(one_lease(claim(store)), State.READY, delay_s=SHORT_S), True)
    wait_until(lambda: store.due_in_s(HANDOFF, "s") is None)
    again = one_lease(claim(store, "s"))
    require_same("the second attempt", again.record.attempts, 2)
    store.settle(again, State.READY, counted=False)
    require_same("not counted", one_lease(claim(store, "s")).record.attempts, 2)


def a_dead_letter_is_kept_with_its_reason(store: Store) -> None:
    """It is delivered again only when it is requeued, and then as if for the first time."""
    ids = [append(store, f"{n}") for n in range(3)]
    for _ in ids:
        store.settle(claimed(store), State.DEAD, reason="it was bad")
    letters = [(letter.id, letter.reason) for letter in page(store, states=(State.DEAD,))]
    require_same("dead", letters, [(id_, "it was bad") for id_ in ids[::-1]])
    require_same("not delivered", claim(store), None)
    require_same("one is requeued", (store.requeue(HANDOFF, ids[1]), store.requeue(HANDOFF, ids[1])), (1, 0))
    lease = one_lease(claim(store))
    require_same("as if new", (lease.record.id, lease.record.attempts, lease.record.reason), (ids[1], 1, None))
    require_same("the others", (store.requeue("other", None), store.requeue(HANDOFF, None)), (0, 2))
    require_same("delivered", [claimed(store).record.id for _ in range(2)], [ids[0], ids[2]])


def what_has_expired_says_so(store: Store) -> None:
    """An expired record is still given, marked as expired: it is not silently gone."""
    store.append(entry("two", scope="t")._replace(ttl_s=LEASE_S))
    require_same("not yet", bool(one(store.latest(HANDOFF, "t")).expired), False)
    store.append(entry("one")._replace(ttl_s=SHORT_S))
    wait_until(lambda: bool(one(store.latest(HANDOFF, "s")).expired))
    require_same("claimed", bool(one_lease(claim(store, "s")).record.expired), True)


def a_sweep_takes_only_what_is_over(store: Store) -> None:
    """Done, kept and expired records go when they are old enough; what waits or is dead stays."""
    for name in ("done", "dead"):
        append(store, name)
    store.append(entry("expired")._replace(ttl_s=0.001))
    store.append(entry("kept")._replace(state=State.KEPT))
    last = append(store, "waits")
    done(store, claimed(store))
    store.settle(claimed(store), State.DEAD, reason="r")
    time.sleep(SHORT_S)
    require_same("too young", store.sweep(HANDOFF, older_than_s=3600), 0)
    require_same("another handoff's", store.sweep("other", older_than_s=0), 0)
    require_same("swept", store.sweep(HANDOFF, older_than_s=0), 3)
    require_same("what stays", sorted(bodies(store)), ["dead", "waits"])
    require("no id is given again", append(store, "new") > last)


def nothing_is_due_where_nothing_waits(store: Store) -> None:
    """Only what is leased or delayed falls due."""
    append(store, "one")
    require_same("ready already", (store.due_in_s(HANDOFF, None), store.due_in_s(HANDOFF, "s")), (None, None))
    claimed(store)
    require("the end of the lease", 0 < (store.due_in_s(HANDOFF, None) or 0.0) <= LEASE_S)
    require_same("another scope", store.due_in_s(HANDOFF, "t"), None)


def a_send_wakes_those_who_wait_for_it(store: Store) -> None:
    """A ring is heard by who watches the scope or the handoff, at once."""
    with store.watch(HANDOFF, "s") as one, store.watch(HANDOFF, None) as whole:
        for ticket in (one, whole):
            ticket.wait(_SETTLE_S)  # a store may ring once when it begins to listen
        sender = threading.Timer(SHORT_S, append, (store, "one"))
        started = time.monotonic()
        sender.start()
        for ticket in (one, whole):
            ticket.wait(LEASE_S)
        require("woken", time.monotonic() - started < LEASE_S / 2)
        sender.join()


def many_consumers_share_without_loss(store: Store) -> None:
    """Each record goes to one consumer, also when they all ask at once."""
    ids = [append(store, f"{n}", scope="st"[n % 2]) for n in range(_MANY)]

    def consume(_: int) -> list[int]:
        mine: list[int] = []
        while (lease := claim(store)) is not None:
            done(store, lease)
            mine.append(lease.record.id)
        return mine

    shares = in_threads(4, consume)
    require_same("each once", sorted(id_ for share in shares for id_ in share), ids)
    require("each consumer in order", all(share == sorted(share) for share in shares))


def a_closed_store_opens_again(store: Store) -> None:
    """Closing releases; using opens."""
    append(store, "one")
    store.close()
    store.close()
    require("it works again", append(store, "two") > 0)


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
