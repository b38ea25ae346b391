"""Reading trusts nothing: too new, invalid, expired, missing and corrupt are five outcomes; old versions are upgraded."""

import asyncio
import json
import random
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from storing import both, claimed
from support import GOOD, Brief, Call, Research, make

from crux_langgraph import Handoff, errors
from crux_langgraph._inbox._wire import digest_of, packed, unpacked
from crux_langgraph.stores import Record, Store
from crux_langgraph.stores.sqlite import SqliteStore


class Old(BaseModel):
    name: str


class New(BaseModel):
    first: str
    last: str
    age: int = 0


def version(model: Any, number: int, store: Store) -> Handoff[Any, Any]:
    return Handoff.of(model, id="person", version=number, store=store)


def third(store: Store) -> Handoff[Any, Any]:
    inbox = version(New, 3, store)

    @inbox.upgrade(1)
    def to_two(old: dict[str, Any]) -> dict[str, Any]:
        first, _, last = old["name"].partition(" ")
        return {"first": first, "surname": last}

    @inbox.upgrade(2)
    def to_three(old: dict[str, Any]) -> dict[str, Any]:
        old["last"] = old.pop("surname")
        return old

    return inbox


async def test_old_versions_are_upgraded_in_a_chain(call: Call, store: Store) -> None:
    await both(call, version(Old, 1, store), "send", {"name": "Ada Lovelace"}, scope="t")
    payload = await both(call, third(store), "receive", scope="t")
    assert (payload.data, payload.version) == (New(first="Ada", last="Lovelace"), 3)
    async with claimed(call, third(store)) as one:
        assert one.payload.data.last == "Lovelace"


def test_an_envelope_in_a_state_is_upgraded_and_left_as_it_is() -> None:
    inbox = third(SqliteStore(":memory:"))
    envelope = {**version(New, 3, inbox.store).prepare({"first": "a", "last": "b"}).to_envelope(), "version": 2}
    envelope["data"] = {"first": "Ada", "surname": "Lovelace"}
    before = json.dumps(envelope)
    assert inbox.received({"handoffs": {"x": envelope}}).data.last == "Lovelace"
    assert json.dumps(envelope) == before


async def reason_of(call: Call, inbox: Any) -> str:
    """Receive what cannot be read, twice: nothing about it changes."""
    reasons = []
    for _ in range(2):
        with pytest.raises(errors.EnvelopeError) as caught:
            await both(call, inbox, "receive", scope="t")
        (stored,) = await both(call, inbox, "history", scope="t")
        assert caught.value.record_id == stored.id
        reasons.append(caught.value.reason)
    assert len(set(reasons)) == 1
    return reasons[0]


async def dead_reason_of(call: Call, inbox: Any) -> str:
    """Claim what cannot be read: the consumer gets nothing, and it is among the dead letters."""
    async with claimed(call, inbox) as nothing:
        assert not nothing
    (dead,) = await both(call, inbox, "dead")
    return dead.facts.reason


async def test_what_a_later_version_wrote_is_too_new(call: Call, store: Store) -> None:
    await both(call, third(store), "send", {"first": "a", "last": "b"}, scope="t")
    assert await reason_of(call, version(Old, 1, store)) == "too_new"
    told = await dead_reason_of(call, version(Old, 1, store))
    assert told == "too_new: the envelope is of version 3, and this handoff is version 1"
    assert await both(call, third(store), "requeue") == 1
    async with claimed(call, third(store)) as one:
        assert one


async def test_a_version_from_which_no_upgrade_leads_is_told(call: Call, store: Store) -> None:
    await both(call, version(Old, 1, store), "send", {"name": "Ada"}, scope="t")
    with pytest.raises(errors.EnvelopeError, match=r"@upgrade\(1\)"):
        await both(call, version(New, 2, store), "receive", scope="t")
    assert (await dead_reason_of(call, version(New, 2, store))).startswith("other_version: ")


async def test_what_no_longer_fits_is_invalid(call: Call, store: Store) -> None:
    await both(call, version(Old, 1, store), "send", {"name": "s3cret"}, scope="t")
    assert await reason_of(call, version(New, 1, store)) == "invalid"
    told = await dead_reason_of(call, version(New, 1, store))
    assert told == "invalid: the recorded data is no longer a valid New"


async def test_an_upgrade_that_fails_is_invalid_with_its_error(call: Call, store: Store) -> None:
    await both(call, version(Old, 1, store), "send", {"name": "Ada"}, scope="t")
    inbox = version(New, 2, store)
    inbox.upgrade(1)(lambda old: old["nowhere"])
    assert await reason_of(call, inbox) == "invalid"
    with pytest.raises(errors.EnvelopeError, match=r"its upgrade function .* raised KeyError") as caught:
        await both(call, inbox, "receive", scope="t")
    assert isinstance(caught.value.__cause__, KeyError)


async def test_what_has_expired_is_neither_given_nor_swept_away_unseen(call: Call, inbox: Any) -> None:
    await both(call, inbox, "send", GOOD, scope="t", ttl_s=0.05)
    assert (await both(call, inbox, "history", scope="t"))[0].facts.expires_at is not None
    await asyncio.sleep(0.1)
    assert await reason_of(call, inbox) == "expired"
    assert (await dead_reason_of(call, inbox)).startswith("expired: stored record ")


async def test_what_was_changed_in_the_database_is_corrupt(call: Call, inbox: Any) -> None:
    await both(call, inbox, "send", GOOD, scope="t")
    await asyncio.to_thread(change, inbox.store, "body")
    assert await reason_of(call, inbox) == "corrupt"
    assert (await dead_reason_of(call, inbox)).startswith("corrupt: stored record ")


async def test_what_was_moved_to_another_scope_is_corrupt(call: Call, inbox: Any) -> None:
    await both(call, inbox, "send", GOOD, scope="mine")
    await asyncio.to_thread(change, inbox.store, "scope")
    assert await reason_of(call, inbox) == "corrupt"


def change(store: Any, column: str) -> None:
    changes = {"body": "body = substr(body, 2)", "scope": """scope = '["t"]'"""}
    if store.family == "sqlite":
        store._connection.execute(f"update crux_handoff set {changes[column]}")
    else:
        with psycopg.connect(store._address()) as connection:
            connection.execute(f"update crux_handoff set {changes[column]}")


@pytest.mark.parametrize("number", [0, 2, 3, True, "1", -1], ids=repr)
def test_an_upgrade_from_where_none_can_lead_is_refused(number: Any) -> None:
    inbox = version(New, 2, SqliteStore(":memory:"))
    with pytest.raises(errors.DefinitionError, match="it is version 2, and an upgrade leads from version"):
        inbox.upgrade(number)
    with pytest.raises(errors.DefinitionError, match="Give @handoff version=2"):
        version(New, 1, inbox.store).upgrade(1)


def test_two_upgrades_from_one_version_and_what_is_no_upgrade_are_refused() -> None:
    inbox = third(SqliteStore(":memory:"))
    with pytest.raises(errors.DefinitionError, match="two upgrades lead from version 1"):
        inbox.upgrade(1)

    async def slow(old: dict[str, Any]) -> Any:
        return old

    wrong: list[Any] = [slow, lambda: None, 5]
    for function in wrong:
        with pytest.raises(errors.DefinitionError, match="its upgrade cannot be called with the data alone"):
            version(New, 2, inbox.store).upgrade(1)(function)


STORED = make().prepare({"question": "Why is it so? é🙂", "findings": ["one", "two 2", "x" * 300]})
BODY = packed(STORED.to_envelope())


def record(body: bytes, digest: bytes) -> Record:
    return Record(1, "a-to-b", '["t"]', None, 1, "{}", 0.0, None, False, 0, 0, None, digest, body)


DIGEST = digest_of("a-to-b", '["t"]', BODY)
INBOX = make()


def mutants(count: int) -> Iterator[Record]:
    """Stored envelopes with one to four flipped bytes, in the body or its digest, some of them cut short."""
    chance = random.Random(7)
    for _ in range(count):
        whole = bytearray(BODY + DIGEST)
        for _ in range(chance.randint(1, 4)):
            whole[chance.randrange(len(whole))] ^= chance.randint(1, 255)
        yield record(bytes(whole[: len(BODY) - chance.choice((0, 0, 0, 1, 7))]), bytes(whole[len(BODY) :]))


def test_no_flipped_byte_gives_another_value() -> None:
    outcomes = [outcome(mutant) for mutant in mutants(10_000)]
    assert set(outcomes) <= {"corrupt", "equal"}
    assert outcomes.count("corrupt") > 9_900  # two flips of one byte may undo each other


def outcome(mutant: Record) -> str:
    try:
        read = INBOX.from_envelope(unpacked(mutant))
    except errors.EnvelopeError as error:
        return error.reason
    return "equal" if read == STORED else "another value"


def test_what_was_stored_unchanged_is_read() -> None:
    assert outcome(record(BODY, DIGEST)) == "equal"
    assert STORED.data == Brief(task="Why is it so? é🙂", facts=["one", "two 2", "x" * 300])


JSON_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(question=JSON_TEXT, findings=st.lists(JSON_TEXT), scope=st.lists(JSON_TEXT.filter(bool), min_size=1, max_size=3))
def test_whatever_is_sent_is_received(question: str, findings: list[str], scope: list[str]) -> None:
    store = SqliteStore(":memory:")
    inbox = make(store=store)
    if len(json.dumps(scope, separators=(",", ":"))) <= 1_000:
        inbox.send(Research(question=question, findings=findings), scope=scope)
        assert inbox.receive(scope=scope).data == Brief(task=question, facts=findings)
    store.close()


@pytest.mark.parametrize("value", [{"big": 2**70, "small": 1.0}, {"big": 1, "small": float("nan")}], ids=str)
def test_numbers_that_json_would_lose_are_refused_and_not_stored(value: Any) -> None:
    class Numbers(BaseModel):
        big: int
        small: float

    store = SqliteStore(":memory:")
    inbox = Handoff.of(Numbers, id="numbers", store=store)
    with pytest.raises(errors.InputError):
        inbox.send(value, scope="t")
    assert inbox.receive(scope="t") is None
    inbox.send({"big": 2**63 - 1, "small": 5e-324}, scope="t")
    assert inbox.receive(scope="t").data == Numbers(big=2**63 - 1, small=5e-324)
    store.close()
