"""A process that is forked from one that uses a store: by a web server's workers, for example."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from postgres import Postgres

NOTE = """
import os, sys, threading, time
from crux_langgraph import Handoff
from pydantic import BaseModel

class Note(BaseModel):
    text: str

inbox = Handoff.of(Note, id="note", store=sys.argv[1] if sys.argv[1:] else None)
"""


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> str:
    return f"sqlite:///{tmp_path}/x.sqlite" if request.param == "sqlite" else postgres.new_database()


def printed(code: str, *arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", NOTE + dedent(code), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ},
        timeout=100,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_it_has_connections_of_its_own(url: str) -> None:
    both = printed(
        """
        inbox.send({"text": "parent"}, scope="t")
        child = os.fork()
        inbox.send({"text": "child" if child == 0 else "parent again"}, scope="t")
        if child == 0:
            sys.exit()
        assert os.waitpid(child, 0)[1] == 0
        print(sorted(stored.payload.data.text for stored in inbox.history(scope="t")))
        """,
        url,
    )
    assert both == "['child', 'parent', 'parent again']\n"


def test_it_hears_of_what_is_sent_though_its_parent_was_listening(url: str) -> None:
    heard = printed(
        """
        inbox.receive(scope="t", wait_s=0.1)
        child = os.fork()
        if child == 0:
            began = time.monotonic()
            got = inbox.receive(scope="t", wait_s=60)
            print(got.data.text, time.monotonic() - began < 30, flush=True)
            sys.exit()
        time.sleep(0.5)
        inbox.send({"text": "parent"}, scope="t")
        assert os.waitpid(child, 0)[1] == 0
        """,
        url,
    )
    assert heard == "parent True\n"


def test_it_does_not_wait_for_what_a_thread_of_its_parent_was_doing() -> None:
    done = printed(
        """
        from crux_langgraph._process import Lock
        from crux_langgraph.stores._notifier import Notifier

        began, goes_on = threading.Event(), threading.Event()

        def tell(channels):
            began.set()
            goes_on.wait()

        def hold():
            with lock:
                began.wait()
                goes_on.wait()

        lock, notifier = Lock(), Notifier(tell)
        threading.Thread(target=hold).start()
        notifier.tell("a")
        began.wait()
        child = os.fork()
        if child == 0:
            with lock:
                notifier.flush()
            sys.exit()
        assert os.waitpid(child, 0)[1] == 0
        goes_on.set()
        print("done")
        """
    )
    assert done == "done\n"
