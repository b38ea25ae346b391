"""Several processes on one inbox: a producer, two consumers with graphs, and one of these killed at random."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from postgres import Postgres

pytestmark = pytest.mark.serving

PROGRAM = Path(__file__).with_name("consumers.py")
ORDERS = 60
WITHIN_S = 60


@pytest.fixture
def database() -> Iterator[str]:
    with Postgres() as server:
        yield server.new_database()


def rows(connection: Any, query: str) -> list[Any]:
    return connection.execute(query).fetchall()


def until(connection: Any, query: str, count: int) -> None:
    end = time.monotonic() + WITHIN_S
    while len(rows(connection, query)) < count:
        assert time.monotonic() < end, rows(connection, query)
        time.sleep(0.02)


def test_every_payload_is_handled_once_in_effect_though_a_consumer_is_killed(database: str, tmp_path: Path) -> None:
    with ExitStack() as stack:

        def started(*arguments: str) -> "subprocess.Popen[bytes]":
            process = subprocess.Popen([sys.executable, PROGRAM, *arguments], stdout=subprocess.PIPE)
            stack.callback(process.communicate)
            stack.callback(process.kill)
            return process

        consumers = [started("consume", database, str(tmp_path / f"{n}.sqlite")) for n in range(2)]
        assert [process.stdout.readline() for process in consumers if process.stdout] == [b"ready\n"] * 2
        connection = stack.enter_context(psycopg.connect(database, autocommit=True))
        producer = started("produce", database, str(ORDERS))
        until(connection, "select 1 from effects", random.randint(5, ORDERS // 2))
        victim = random.choice(consumers)
        victim.kill()
        until(connection, "select 1 from effects", ORDERS)
        assert producer.wait() == 0
        until(connection, "select 1 from crux_handoff where state = 1", ORDERS)
        assert sorted(number for (number,) in rows(connection, "select number from effects")) == list(range(ORDERS))
        workers = {process for (process,) in rows(connection, "select process from tries")}
        assert workers == {process.pid for process in consumers}
