"""Processes that use one database at the same time, and die at it: a program that plays what it reads, line by line.

Everything is imported once and each process is then forked, so that a hundred of them take a moment.
"""

import functools
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from pydantic import BaseModel

from crux_langgraph import ANY, Handoff
from crux_langgraph.stores import close_all

LEASE_S = 0.4
MOST_POINTS = 200


class Note(BaseModel):
    text: str


Inbox = Handoff[Note, Note, Note]


@functools.cache
def inbox(url: str) -> Inbox:
    return Handoff.of(Note, id="note", store=url)


def in_process(work: Callable[[], object]) -> Callable[[], tuple[bool, str]]:
    """Fork a process; give a function that waits for it and says whether it lived, and what it told."""
    close_all()
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receiving)
        with os.fdopen(sending, "w") as told:
            try:
                json.dump(work(), told)
            except Exception as error:  # noqa: BLE001 - told to the parent
                json.dump(f"{type(error).__name__}: {error}", told)
        os._exit(0)
    os.close(sending)

    def wait() -> tuple[bool, str]:
        with os.fdopen(receiving) as told:
            text = told.read()
        return os.waitpid(child, 0)[1] == 0, text

    return wait


class Deadly:
    """Kills this process at the nth place: before the first statement, after it, before the second, and so on."""

    def __init__(self, place: int) -> None:
        self._left = place

    def __call__(self) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1


@contextmanager
def killed_at(place: int) -> Iterator[None]:
    """Let every statement, of either driver, be a place to die before and after."""
    deadly = Deadly(place)

    class Connection(sqlite3.Connection):
        def execute(self, *args: Any) -> Any:
            deadly()
            done = super().execute(*args)
            deadly()
            return done

    connect, execute = sqlite3.connect, psycopg.Cursor.execute

    def deadly_execute(self: Any, *args: Any, **options: Any) -> Any:
        deadly()
        done = execute(self, *args, **options)
        deadly()
        return done

    sqlite3.connect = lambda *args, **options: connect(*args, factory=Connection, **options)  # type: ignore[assignment]
    psycopg.Cursor.execute = deadly_execute  # type: ignore[method-assign]
    yield


def sends(url: str) -> dict[str, Any]:
    """Kill a sender around every statement. What it confirmed is there; nothing half-written is; a repetition is one."""
    unconfirmed_but_there = 0
    for place in range(MOST_POINTS):
        scope, database = f"scope {place}", inbox(url.replace("PLACE", f"{place}"))

        def send(scope: str = scope, place: int = place, database: Inbox = database) -> int:
            with killed_at(place):
                return database.send({"text": scope}, scope=scope, key="once").id

        lived, told = in_process(send)()
        found = [stored.payload.data.text for stored in database.history(scope=scope)]
        assert found in ([], [scope]), found
        assert found or not told, "a confirmed send is lost"
        unconfirmed_but_there += bool(found and not told)
        again = database.send({"text": scope}, scope=scope, key="once")
        assert again.duplicate == bool(found)
        assert len(database.history(scope=scope)) == 1
        if lived:
            return {"killed": place, "unconfirmed": unconfirmed_but_there}
    raise AssertionError


def claims(url: str) -> dict[str, Any]:
    """Kill a consumer around every statement. A record is either acknowledged once, or comes again, whole."""
    inbox(url).send({"text": "warm"}, scope="warm")
    again = 0
    for place in range(MOST_POINTS):
        scope = f"scope {place}"
        inbox(url).send({"text": scope}, scope=scope)

        def claim(scope: str = scope, place: int = place) -> str:
            with killed_at(place), inbox(url).claim(scope=scope, lease_s=LEASE_S) as claimed:
                return claimed.payload.data.text

        lived, told = in_process(claim)()
        (stored,) = inbox(url).history(scope=scope)
        assert stored.facts.status in ("ready", "done")
        assert stored.facts.status == "done" or not told, "a confirmed acknowledgement is lost"
        with inbox(url).claim(scope=scope, wait_s=LEASE_S * 5) as one:
            assert bool(one) == (stored.facts.status == "ready")
            assert not one or one.payload.data.text == scope
            again += bool(one)
        if lived:
            return {"killed": place, "again": again}
    raise AssertionError


def race(url: str, messages: int = 200, consumers: int = 2) -> dict[str, Any]:
    """Let several processes claim from one inbox; give what each of them got."""
    for number in range(messages):
        inbox(url).send({"text": f"{number}"}, scope=f"{number % 7}")
    start_at = time.time() + 0.2

    def consume() -> list[int]:
        time.sleep(max(0.0, start_at - time.time()))
        mine: list[int] = []
        while True:
            with inbox(url).claim() as one:
                if not one:
                    return mine
                mine.append(int(one.payload.data.text))

    shares = [json.loads(told) for _, told in [wait() for wait in [in_process(consume) for _ in range(consumers)]]]
    left = [stored.facts.status for stored in inbox(url).history(scope=ANY, limit=messages)]
    return {"shares": shares, "states": sorted(set(left)), "stored": len(left)}


def setup(urls: str) -> dict[str, Any]:
    """Let four processes open one empty database at the same time, for each of the databases."""
    failures: list[str] = []
    done = 0
    for url in urls.split():
        start_at = time.time() + 0.05

        def first_use(url: str = url, start_at: float = start_at) -> str:
            time.sleep(max(0.0, start_at - time.time()))
            inbox(url).send({"text": "x"}, scope="t")
            return "sent"

        told = [wait()[1] for wait in [in_process(first_use) for _ in range(4)]]
        failures += [text for text in told if text != '"sent"']
        done += 4
        assert len(inbox(url).history(scope="t")) == 4 - len(failures)
    return {"failures": failures, "done": done}


PLAYS: dict[str, Callable[[str], dict[str, Any]]] = {"sends": sends, "claims": claims, "race": race, "setup": setup}


def main() -> None:
    """Read plays, one a line, and print what each of them gave, or why it failed."""
    for line in sys.stdin:
        name, urls = json.loads(line)
        try:
            told: Any = PLAYS[name](urls)
        except BaseException as error:  # noqa: BLE001 - told to the test
            told = f"{type(error).__name__}: {error}"
        print(json.dumps(told), flush=True)
        close_all()


if __name__ == "__main__":
    main()
