"""Sending and receiving: prepared, then persisted; nothing when a step fails; once for each key."""

import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest
from storing import both, claimed
from support import BAD, GOOD, Brief, Call, Research, make, to_brief

from crux_langgraph import ANY, GLOBAL, Handoff, errors, handoff
from crux_langgraph.stores.postgres import PostgresStore
from crux_langgraph.stores.sqlite import SqliteStore

CROSSED = Brief(task="Why?", facts=["one", "two"])


async def test_what_is_sent_is_received_validated_and_not_consumed(call: Call, inbox: Any) -> None:
    assert await both(call, inbox, "receive", scope="t") is None
    sent = await both(call, inbox, "send", GOOD, scope="t")
    assert (sent.id > 0, sent.duplicate) == (True, False)
    for _ in range(2):
        payload = await both(call, inbox, "receive", scope="t")
        assert payload.data == CROSSED
    assert payload.context == inbox.from_envelope(payload.to_envelope()).context


async def test_the_newest_is_received_and_the_history_keeps_all(call: Call, inbox: Any) -> None:
    ids = [(await both(call, inbox, "send", {"question": f"{n}"}, scope="t")).id for n in range(4)]
    assert (await both(call, inbox, "receive", scope="t")).data.task == "3"
    assert (await both(call, inbox, "receive", scope="t", after=ids[2])).data.task == "3"
    assert await both(call, inbox, "receive", scope="t", after=ids[3]) is None
    history = await both(call, inbox, "history", scope="t")
    assert [(stored.id, stored.payload.data.task) for stored in history] == list(zip(ids, "0123", strict=True))[::-1]
    assert [stored.id for stored in await both(call, inbox, "history", scope="t", before=ids[2], limit=1)] == [ids[1]]
    assert (history[0].facts.status, history[0].facts.scope, repr(history[0])) == (
        "ready",
        ("t",),
        f"Stored(id={ids[3]}, scope=('t',), status='ready')",
    )


async def test_a_prepared_payload_is_sent_as_it_is(call: Call, inbox: Any) -> None:
    payload = inbox.prepare(GOOD)
    await both(call, inbox, "send", payload, scope="t")
    assert await both(call, inbox, "receive", scope="t") == payload
    with pytest.raises(errors.InputError, match="a payload of handoff 'a-to-b'"):
        await both(call, make(id="other", store=inbox.store), "send", payload, scope="t")


async def test_nothing_is_stored_when_a_step_fails(call: Call, store: Any) -> None:
    def fail(_: Any) -> Any:
        raise RuntimeError

    @handoff(id="a-to-b", store=store)
    def wrong(research: Research) -> Brief:
        return Brief.model_construct(task=5)  # type: ignore[arg-type]

    for contract, value, error in [
        (make(store=store), BAD, errors.InputError),
        (wrong, GOOD, errors.OutputError),
        (make(store=store, on_prepare=fail), GOOD, errors.HookError),
    ]:
        with pytest.raises(error):
            await both(call, contract, "send", value, scope="t")
        assert await both(call, contract, "receive", scope="t") is None


async def test_a_key_is_stored_once_and_looked_up_before_the_work(call: Call, store: Any) -> None:
    worked: list[str] = []

    @handoff(store=store)
    def counted(research: Research) -> Brief:
        worked.append(research.question)
        return to_brief(research)

    first = await both(call, counted, "send", {"question": "1"}, scope="t", key="order-17")
    again = await both(call, counted, "send", {"question": "2"}, scope="t", key="order-17")
    assert (again.id, again.duplicate, worked) == (first.id, True, ["1"])
    long = "k" * 5_000
    assert not (await both(call, counted, "send", {"question": "3"}, scope="t", key=long)).duplicate
    assert (await both(call, counted, "send", {"question": "4"}, scope="t", key=long)).duplicate
    assert not (await both(call, counted, "send", {"question": "5"}, scope="u", key="order-17")).duplicate
    assert not (await both(call, counted, "send", {"question": "6"}, scope="t")).duplicate


@pytest.mark.parametrize("key", ["", 5], ids=repr)
def test_a_key_that_is_no_text_is_refused(inbox: Any, key: Any) -> None:
    with pytest.raises(errors.ScopeError, match=r"send\(\) was given a key that is"):
        inbox.send(GOOD, scope="t", key=key)


HARD = [
    "\x00",
    "é 漢字 🙂",
    "a\u2028b",
    "\\u0000",
    "'; drop table crux_handoff; --",
    "%s %(id)s :now ?",
]


@pytest.mark.parametrize("text", HARD, ids=ascii)
def test_every_text_survives_as_value_scope_and_key(inbox: Any, text: str) -> None:
    inbox.send({"question": text, "findings": [text]}, scope=(text, "t"), key=text)
    assert inbox.receive(scope=[text, "t"]).data == Brief(task=text, facts=[text])
    assert inbox.send({"question": "again"}, scope=(text, "t"), key=text).duplicate
    with inbox.claim(scope=(text, "t")) as one:
        assert (one.scope, one.payload.data.task) == ((text, "t"), text)


COLLIDING = [
    (("a.b", "c"), ("a", "b.c")),
    (("a", "b"), ("ab",)),
    (("a", "b"), '["a","b"]'),
    (("a",), ("a", "a")),
    (('a","b',), ("a", "b")),
    (GLOBAL, "[]"),
    (GLOBAL, "GLOBAL"),
    ("a", "A"),
    ("é", "e\u0301"),
    ("a", "a "),
    ("a\x1fb", ("a", "b")),
]


@pytest.mark.parametrize("pair", COLLIDING, ids=ascii)
async def test_no_two_scopes_are_the_same(call: Call, inbox: Any, pair: Any) -> None:
    one, other = pair
    await both(call, inbox, "send", GOOD, scope=one)
    assert await both(call, inbox, "receive", scope=other) is None
    assert await both(call, inbox, "history", scope=other) == []
    async with claimed(call, inbox, scope=other) as nothing:
        assert not nothing
    assert (await both(call, inbox, "receive", scope=one)).data == CROSSED


@pytest.mark.parametrize("scope", ["", (), ("a", ""), 5, ("a", 5), ANY, b"t", "x" * 2_000], ids=lambda s: ascii(s)[:20])
async def test_what_is_no_scope_is_refused(call: Call, inbox: Any, scope: Any) -> None:
    for method, arguments in (("send", [GOOD]), ("receive", [])):
        with pytest.raises(
            errors.ScopeError, match=rf"handoff 'a-to-b' \(layer: scope\): {method}\(\) was given a scope"
        ):
            await both(call, inbox, method, *arguments, scope=scope)


async def test_without_a_running_graph_a_scope_must_be_said(call: Call, inbox: Any) -> None:
    for method, arguments in (("send", [GOOD]), ("receive", []), ("history", [])):
        with pytest.raises(errors.ScopeError, match="no graph is running here\nGive scope="):
            await both(call, inbox, method, *arguments)


@pytest.mark.parametrize("method", ["send", "receive", "claim", "history", "dead", "requeue", "sweep"])
def test_without_a_store_each_operation_says_where_to_give_one(method: str, monkeypatch: Any) -> None:
    monkeypatch.delenv("CRUX_HANDOFF_URL", raising=False)
    options: dict[str, Any] = {"older_than_s": 1.0} if method == "sweep" else {"scope": "t"}
    arguments = [GOOD] if method == "send" else []
    with pytest.raises(errors.NoStoreError, match=rf"handoff 'a-to-b' .*{method}\(\) needs a store") as caught:
        getattr(make(), method)(*arguments, **({} if method == "requeue" else options))
    assert "store=" in str(caught.value)
    assert not errors.is_retryable(caught.value)


def test_the_environment_names_the_store_of_handoffs_that_say_nothing(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("CRUX_HANDOFF_URL", f"sqlite:///{tmp_path}/here.sqlite")
    make().send(GOOD, scope="t")
    assert (tmp_path / "here.sqlite").exists()
    assert make(store=f"sqlite:///{tmp_path}/elsewhere.sqlite").receive(scope="t") is None
    assert make(id="other").receive(scope="t") is None


@pytest.mark.parametrize("option", ["ttl_s", "wait_s", "lease_s", "backoff_s", "older_than_s"])
@pytest.mark.parametrize("given", ["5", True, -0.5], ids=repr)
def test_seconds_are_a_number(inbox: Any, option: str, given: Any) -> None:
    calls: dict[str, Any] = {
        "ttl_s": lambda: inbox.send(GOOD, scope="t", ttl_s=given),
        "wait_s": lambda: inbox.receive(scope="t", wait_s=given),
        "lease_s": lambda: inbox.claim(lease_s=given),
        "backoff_s": lambda: inbox.claim(backoff_s=given),
        "older_than_s": lambda: inbox.sweep(older_than_s=given),
    }
    with pytest.raises(errors.InputError, match=f"{option} is "):
        calls[option]()


@pytest.mark.parametrize("given", [0, 2.0, True, None], ids=repr)
def test_attempts_are_a_whole_number_from_one(inbox: Any, given: Any) -> None:
    with pytest.raises(errors.InputError, match=r"max_attempts is .*\nGive max_attempts= a whole number from 1\."):
        inbox.claim(max_attempts=given)


@pytest.mark.parametrize("committed", [True, False])
async def test_a_send_joins_the_callers_transaction_on_sqlite(call: Call, tmp_path: Path, committed: bool) -> None:
    inbox = make(store=SqliteStore(tmp_path / "x.sqlite"))
    assert await both(call, inbox, "receive", scope="t") is None
    with sqlite3.connect(tmp_path / "x.sqlite", check_same_thread=False) as own:
        own.execute("create table orders (id integer)")
        own.execute("insert into orders values (17)")
        sent = await both(call, inbox, "send", GOOD, scope="t", key="17", tx=own)
        again = await both(call, inbox, "send", GOOD, scope="t", key="17", tx=own)
        assert (sent.duplicate, again.duplicate, again.id) == (False, True, sent.id)
        assert await both(call, inbox, "receive", scope="t") is None
        own.commit() if committed else own.rollback()
    assert (await both(call, inbox, "receive", scope="t") is not None) == committed
    own.close()
    inbox.store.close()


async def test_the_tables_are_made_in_a_transaction_that_is_open_already(call: Call, tmp_path: Path) -> None:
    inbox = make(store=SqliteStore(tmp_path / "x.sqlite"))
    with sqlite3.connect(tmp_path / "x.sqlite", check_same_thread=False) as own:
        own.execute("create table orders (id integer)")
        own.execute("insert into orders values (17)")
        sent = await both(call, inbox, "send", GOOD, scope="t", key="17", tx=own)
    own.close()
    assert (await both(call, inbox, "history", scope="t"))[0].id == sent.id
    inbox.store.close()


@pytest.mark.parametrize("committed", [True, False])
async def test_a_send_joins_the_callers_transaction_on_postgres(call: Call, postgres: Any, committed: bool) -> None:
    url = postgres.new_database()
    inbox = make(store=url)
    with psycopg.connect(url) as own:
        own.execute("create table orders (id int)")
        sent = await both(call, inbox, "send", GOOD, scope="t", key="17", tx=own)
        again = await both(call, inbox, "send", GOOD, scope="t", key="17", tx=own)
        assert (sent.duplicate, again.duplicate, again.id) == (False, True, sent.id)
        assert await both(call, inbox, "receive", scope="t") is None
        own.commit() if committed else own.rollback()
    assert (await both(call, inbox, "receive", scope="t") is not None) == committed


def test_what_is_no_transaction_is_refused(tmp_path: Path, postgres: Any) -> None:
    url = postgres.new_database()
    embedded, server = make(store=SqliteStore(tmp_path / "x")), make(store=PostgresStore(url))
    with psycopg.connect(url, autocommit=True) as connection:
        bare = sqlite3.connect(tmp_path / "x", isolation_level=None)
        for inbox, tx, found in [
            (embedded, connection, "tx= is a Connection"),
            (embedded, bare, "tx= is a connection without a transaction"),
            (server, bare, "tx= is a Connection"),
            (server, connection, "tx= is a connection without a transaction"),
        ]:
            with pytest.raises(errors.StoreError, match=found):
                inbox.send(GOOD, scope="t", tx=tx)
        bare.close()
    for inbox in (embedded, server):
        inbox.store.close()


def test_a_failing_transaction_is_a_store_error(tmp_path: Path, postgres: Any) -> None:
    inbox = make(store=SqliteStore(tmp_path / "x"))
    elsewhere = sqlite3.connect(tmp_path / "y")
    with pytest.raises(errors.StoreError, match="tx= is a connection to another database") as caught:
        inbox.send(GOOD, scope="t", tx=elsewhere)
    assert not errors.is_retryable(caught.value)
    elsewhere.close()
    with pytest.raises(errors.StoreError, match="the transaction given as tx= failed: ProgrammingError") as caught:
        inbox.send(GOOD, scope="t", tx=elsewhere)
    assert errors.is_retryable(caught.value)
    inbox.store.close()
    url = postgres.new_database()
    failed = pytest.raises(errors.StoreError, match="the transaction given as tx= failed: UndefinedTable")
    with psycopg.connect(postgres.new_database()) as other, failed:
        make(store=url).send(GOOD, scope="t", tx=other)


async def test_private_values_cross_a_store_and_are_in_no_error(call: Call, store: Any) -> None:
    from typing import Annotated

    from crux_langgraph import Private

    class Secretive(Research):
        token: Annotated[str, Private()] = ""

    inbox = Handoff.of(Secretive, id="secret", store=store)
    await both(call, inbox, "send", {"question": "q", "token": "s3cret"}, scope="t")
    assert (await both(call, inbox, "receive", scope="t")).data.token == "s3cret"
    assert "s3cret" not in repr(await both(call, inbox, "history", scope="t"))
