"""Several processes at one inbox, on both databases: nothing is lost, doubled or half there, whoever is killed when."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from crux_langgraph import Handoff

PROGRAM = Path(__file__).with_name("processes.py")
BOTH = pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)


Play = Callable[..., Any]


class Note(BaseModel):
    text: str


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    """Play something in a program that was started once."""
    program = [sys.executable, "-W", "error", PROGRAM]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:

        def ask(name: str, *urls: str) -> Any:
            running.stdin.write(json.dumps([name, " ".join(urls)]) + "\n")
            running.stdin.flush()
            return json.loads(running.stdout.readline())

        yield ask
        running.stdin.close()


@BOTH
def test_a_sender_killed_around_any_statement_loses_and_doubles_nothing(play: Play, database: str) -> None:
    told = play("sends", database)
    assert told["killed"] >= 10
    assert told["unconfirmed"] >= 1  # it died between the commit and the return: there once, and known by its key


def test_a_sender_killed_around_any_statement_of_the_set_up_leaves_a_database_that_works(
    play: Play, tmp_path: Path
) -> None:
    told = play("sends", f"sqlite:///{tmp_path}/PLACE.sqlite?synchronous=off")
    assert told["killed"] >= 25


@BOTH
def test_a_consumer_killed_around_any_statement_leaves_the_record_to_the_next(play: Play, database: str) -> None:
    told = play("claims", database)
    assert told["killed"] >= 6
    assert told["again"] >= 4


@BOTH
def test_two_consumers_share_two_hundred_messages_exactly(play: Play, database: str) -> None:
    told = play("race", database)
    one, other = told["shares"]
    assert sorted(one + other) == list(range(200))
    assert (one, other) == (sorted(one), sorted(other))
    assert min(len(one), len(other)) > 0
    assert (told["states"], told["stored"]) == (["done"], 200)


def test_four_processes_set_up_one_empty_sqlite_database(play: Play, tmp_path: Path) -> None:
    told = play("setup", *[f"sqlite:///{tmp_path}/{n}.sqlite" for n in range(6)])
    assert told == {"failures": [], "done": 24}


def test_four_processes_set_up_one_empty_postgres_database(play: Play, postgres: Any) -> None:
    told = play("setup", *[postgres.new_database() for _ in range(6)])
    assert told == {"failures": [], "done": 24}


@BOTH
def test_a_killed_consumers_graph_goes_on_at_the_step_where_it_died(database: str, tmp_path: Path) -> None:
    Handoff.of(Note, id="note", store=database).send({"text": "it"}, scope="t")
    program = [sys.executable, Path(__file__).with_name("consuming.py"), database, tmp_path / "checkpoints.sqlite"]
    killed = subprocess.run([*program, "die"], capture_output=True, text=True, check=False)
    assert (killed.stdout, killed.returncode) == ("one it\ntwo it\n", -signal.SIGKILL), killed.stderr
    lived = subprocess.run([*program, "live"], capture_output=True, text=True, check=True)
    assert lived.stdout == "two it\nthree it\n['one', 'two', 'three']\n"


def test_a_bounded_torture_ends_with_balanced_books() -> None:
    program = [sys.executable, Path(__file__).parents[1] / "benchmarks" / "torture.py", "--sends", "150"]
    ran = subprocess.run(program, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count("lost 0  acknowledged twice 0  out of order 0  unacknowledged 0") == 2
