"""Random SIGKILL of senders and consumers on both databases, then the books are checked: lost, doubled, out of order.

uv run python tests/benchmarks/torture.py [--sends 10000] [--only sqlite|postgres] [--seed N]
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

sys.path.insert(0, str(Path(__file__).parents[1]))

from postgres import Postgres

from crux_langgraph import ANY, Handoff, errors
from crux_langgraph.stores import close_all

SCOPES = 5
SENDERS, CONSUMERS = 3, 4
LEASE_S = 1.5


class Note(BaseModel):
    key: str
    scope: str
    number: int


class Books(NamedTuple):
    """What was found when everything was over."""

    confirmed: int
    kills: int
    lost: int
    acknowledged_twice: int
    out_of_order: int
    unacknowledged: int
    redelivered: int

    @property
    def balance(self) -> bool:
        """Nothing is lost, doubled, out of order or left over."""
        return not (self.lost or self.acknowledged_twice or self.out_of_order or self.unacknowledged)


def inbox_at(url: str) -> Handoff[Note, Note, Note]:
    return Handoff.of(Note, id="torture", store=url)


def send(url: str, me: str, folder: Path) -> None:
    """Send without end; each confirmed send is noted in a file of its own process."""
    inbox = inbox_at(url)
    with (folder / f"sent-{me}").open("a", buffering=1) as log:
        for number in range(sys.maxsize):
            scope = f"scope {number % SCOPES}"
            note = {"key": f"{me}/{number}", "scope": scope, "number": number}
            sent = inbox.send(note, scope=scope, key=note["key"])
            log.write(json.dumps([note["key"], scope, sent.id]) + "\n")  # from here on the caller was told it is safe


def consume(url: str, me: str, folder: Path) -> None:
    """Claim without end, one consumer at a time a scope; what was started and what was acknowledged is noted."""
    inbox = inbox_at(url)
    with (folder / "worked").open("a", buffering=1) as log:
        while True:
            try:
                with inbox.claim(scope=ANY, wait_s=5, lease_s=LEASE_S, thread="scope", max_attempts=1_000) as claimed:
                    if not claimed:
                        continue
                    note = claimed.payload.data
                    log.write(json.dumps(["started", note.key, note.scope, claimed.id]) + "\n")
                log.write(json.dumps(["acknowledged", note.key, note.scope, claimed.id]) + "\n")
            except errors.LeaseLostError:
                continue


def start(work: Callable[..., None], *arguments: Any) -> int:
    close_all()
    child = os.fork()
    if child == 0:
        try:
            work(*arguments)
        finally:
            os._exit(1)
    return child


def torture(url: str, folder: Path, *, sends: int, seed: int) -> Books:
    """Let processes work and die until so many sends are confirmed, let what is left be worked off, and check."""
    chance, generation, kills = random.Random(seed), 0, 0
    running: dict[tuple[str, int], int] = {}
    inbox_at(url).history(scope=ANY)
    try:
        while confirmed(folder) < sends:
            for role, work, count in (("sender", send, SENDERS), ("consumer", consume, CONSUMERS)):
                for slot in range(count):
                    if (role, slot) not in running:
                        generation += 1
                        running[role, slot] = start(work, url, f"{generation}", folder)
            time.sleep(chance.uniform(0.05, 0.4))
            victim = chance.choice(list(running))
            stop(running.pop(victim))
            kills += 1
        for victim in [slot for slot in running if slot[0] == "sender"]:
            stop(running.pop(victim))
        work_off(url)
    finally:
        for child in running.values():
            stop(child)
    return books(url, folder, kills)


def confirmed(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("sent-*"))


def stop(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def work_off(url: str) -> None:
    """Wait until the consumers have done what is left."""
    inbox = inbox_at(url)
    while any(stored.facts.status == "ready" for stored in records(inbox)):
        time.sleep(0.3)


def records(inbox: Handoff[Note, Note, Note]) -> list[Any]:
    return inbox.history(scope=ANY, limit=1_000_000)


def lines(path: Path) -> list[Any]:
    # The last line of a killed process may be cut short: then nobody was told.
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("]\n")]


def books(url: str, folder: Path, kills: int) -> Books:
    """Compare what was confirmed with what is stored, and look at the order in which each scope was worked on."""
    told = [tuple(line) for path in folder.glob("sent-*") for line in lines(path)]
    stored = records(inbox_at(url))
    there = {(one.payload.data.key, one.payload.data.scope, one.id) for one in stored}
    worked = lines(folder / "worked")
    acknowledged = Counter(key for what, key, _, _ in worked if what == "acknowledged")
    starts = [(scope, id_) for what, _, scope, id_ in worked if what == "started"]
    by_scope = {scope: [id_ for found, id_ in starts if found == scope] for scope, _ in starts}
    return Books(
        confirmed=len(told),
        kills=kills,
        lost=len(set(told) - there),
        acknowledged_twice=sum(count - 1 for count in acknowledged.values()),
        out_of_order=sum(later < earlier for ids in by_scope.values() for earlier, later in pairwise(ids)),
        unacknowledged=sum(one.facts.status != "done" for one in stored),
        redelivered=len(starts) - len(set(starts)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sends", type=int, default=10_000, help="confirmed sends, on each database")
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    balances = []
    with Postgres(durable=True) as server, tempfile.TemporaryDirectory() as name:
        for family in [asked.only] if asked.only else ["sqlite", "postgres"]:
            folder = Path(name) / family
            folder.mkdir()
            url = f"sqlite:///{folder}/handoffs.sqlite" if family == "sqlite" else server.new_database()
            found = torture(url, folder, sends=asked.sends, seed=asked.seed)
            print(
                family,
                *(f"{name.replace('_', ' ')} {count}" for name, count in found._asdict().items()),
                sep="  ",
                flush=True,
            )
            balances.append(found.balance)
    sys.exit(0 if all(balances) else 1)


if __name__ == "__main__":
    main()
