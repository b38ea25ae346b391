"""`crux-langgraph inbox`: what an operator sees of a store, and what it lets be delivered again."""

import contextlib
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest
from support import GOOD, make

from crux_langgraph import GLOBAL
from crux_langgraph.stores import close_all


@pytest.fixture
def url(tmp_path: Path) -> Any:
    """A store with a record that waits, one that is done, one that is dead, and one that has expired."""
    url = f"sqlite:///{tmp_path}/x.sqlite"
    inbox = make(store=url)
    for question in ("done", "dead"):
        inbox.send({"question": question}, scope=("tenant", "t"))
    with inbox.claim():
        pass
    with pytest.raises(ValueError, match="x"), inbox.claim(max_attempts=1):
        raise ValueError("x")  # noqa: EM101
    inbox.send(GOOD, scope="[bold]u")
    inbox.send(GOOD, scope=GLOBAL, ttl_s=1e-9)
    yield url
    close_all()


def test_the_list_counts_by_handoff(command: Any, url: str) -> None:
    ran = command("inbox", "list", "--store", url)
    assert ran.out.splitlines()[0].split() == ["handoff", "ready", "done", "dead", "oldest", "ready"]
    assert ran.out.splitlines()[1].split()[:4] == ["a-to-b", "2", "1", "1"]
    (row,) = json.loads(command("inbox", "list", "--store", url, "--json").out)
    assert (row["ready"], row["done"], row["dead"]) == (2, 1, 1)


def test_the_history_is_newest_first_with_what_became_of_each(command: Any, url: str) -> None:
    rows = json.loads(command("inbox", "history", "a-to-b", "--store", url, "--json").out)
    assert [row["status"] for row in rows] == ["expired", "ready", "dead", "done"]
    ran = command("inbox", "history", "a-to-b", "--store", url, "--limit", 2)
    assert ("(global)" in ran.out, "[bold]u" in ran.out, "tenant" in ran.out) == (True, True, False)
    ran = command("inbox", "history", "a-to-b", "--store", url, "--scope", "tenant", "--scope", "t")
    assert ran.out.count("tenant / t") == 2


def test_the_dead_letters_say_why_and_are_requeued(command: Any, url: str) -> None:
    (row,) = json.loads(command("inbox", "dead", "a-to-b", "--store", url, "--json").out)
    assert row["reason"] == "failed 1 times, the last time with ValueError"
    ran = command("inbox", "requeue", "a-to-b", row["id"], "--store", url)
    assert (ran.code, ran.out) == (0, "requeued 1\n")
    assert command("inbox", "dead", "a-to-b", "--store", url).out == "nothing\n"
    ran = command("inbox", "requeue", "a-to-b", "--store", url, "--json")
    assert (ran.code, ran.document) == (1, {"requeued": 0})


def test_a_record_is_shown_without_its_data_unless_that_is_asked_for(command: Any, url: str) -> None:
    rows = json.loads(command("inbox", "history", "a-to-b", "--store", url, "--json").out)
    ran = command("inbox", "show", "a-to-b", rows[1]["id"], "--store", url)
    assert "Why?" not in ran.out
    assert '"from_agent": "a"' in ran.out
    shown = command("inbox", "show", "a-to-b", rows[1]["id"], "--store", url, "--data", "--json").document
    assert shown["data"] == {"task": "Why?", "facts": ["one", "two"]}


def test_a_record_that_is_broken_is_shown_as_far_as_it_goes(command: Any, url: str, tmp_path: Path) -> None:
    for body in ("no JSON", "[]"):
        with sqlite3.connect(tmp_path / "x.sqlite") as connection:
            connection.execute("update crux_handoff set body = ?", (body.encode(),))
        connection.close()
        shown = command("inbox", "show", "a-to-b", "1", "--store", url, "--data", "--json").document
        assert (shown["data"], shown["payload"]["id"], shown["status"]) == (None, None, "done")


def test_what_is_not_there_is_said_on_stderr(command: Any, url: str, tmp_path: Path) -> None:
    ran = command("inbox", "show", "a-to-b", "99", "--store", url)
    assert (ran.code, ran.err) == (
        2,
        "crux-langgraph: handoff 'a-to-b' has no record 99; see: crux-langgraph inbox history a-to-b\n",
    )
    ran = command("inbox", "list", "--store", f"sqlite:///{tmp_path}/nowhere.sqlite")
    assert (ran.code, "there is no inbox at" in ran.err) == (2, True)
    assert not (tmp_path / "nowhere.sqlite").exists()
    ran = command("inbox", "list", "--store", "redis://x")
    assert (ran.code, ran.err.count("\n")) == (2, 1)


def test_a_store_that_cannot_be_opened_is_told_in_one_sentence_for_who_called_the_command(command: Any) -> None:
    assert command("inbox", "list", "--store", "redis://x").err.endswith(
        "is of another kind; give --store sqlite:///path or postgresql://...\n"
    )


def test_a_driver_that_is_missing_is_told_with_how_to_install_it(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "crux_langgraph.stores.postgres", None)
    ran = command("inbox", "list", "--store", "postgresql://localhost/nowhere")
    assert ran.err.endswith('; run: pip install "crux-langgraph[postgres]"\n')


def test_a_database_that_fails_is_told_without_its_own_words(command: Any, tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_text("no database " * 100, encoding="utf-8")
    ran = command("inbox", "list", "--store", f"sqlite:///{tmp_path}/x.sqlite")
    assert ran.err.endswith("DatabaseError; see whether the database runs and --store names it\n")


def test_a_database_that_is_too_new_is_told_with_what_to_do(command: Any, url: str, tmp_path: Path) -> None:
    close_all()
    with contextlib.closing(sqlite3.connect(tmp_path / "x.sqlite")) as connection, connection:
        connection.execute("insert into crux_handoff_schema (version) values (99)")
    assert "; upgrade crux-langgraph here, or give" in command("inbox", "list", "--store", url).err


@pytest.mark.parametrize("asked", [["dead"], ["history"], ["requeue"]], ids=str)
def test_a_handoff_that_the_store_has_never_seen_is_told_with_those_it_has(
    command: Any, url: str, asked: list[str]
) -> None:
    assert command("inbox", *asked, "a-to-bee", "--store", url).err == (
        "crux-langgraph: the store has nothing of handoff 'a-to-bee'; it has 'a-to-b'\n"
    )
    command("inbox", "requeue", "a-to-b", "--store", url)
    assert command("inbox", *asked, "a-to-b", "--store", url).err == ""


def test_a_store_without_records_is_told_to_be_empty(command: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.sqlite"
    assert make(store=url).receive(scope="t") is None
    close_all()
    ran = command("inbox", "dead", "a-to-b", "--store", url, "--json")
    assert (ran.out, ran.err) == ("[]\n", "crux-langgraph: the store has nothing of handoff 'a-to-b'; it is empty\n")


def test_the_store_is_that_of_the_environment(command: Any, url: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("CRUX_HANDOFF_URL", url)
    assert "a-to-b" in command("inbox", "list").out
