"""What the stores cost against the drivers themselves doing the same durable writes, in one run, slice by slice.

Raw is the driver, one connection and one statement for each step, on a table of its own that is made by the store's
migration: the same columns and the same indexes, since whoever promises a key, an order, a lease and a history has to
write them. A send is an insert; a claim is one update of the oldest row that is free, returning it; an acknowledgement
is an update of that row. What ours does besides is what is measured: the look for the key, the lock that keeps the order
of a scope, the fence, waking those who wait, threads, forks, and records in place of rows.

    uv run python tests/benchmarks/stores.py [--rounds N] [--only sqlite|postgres] [--disk no|yes] [--quick]
"""

import argparse
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from postgres import Postgres
from store_sides import HANDOFF, RawPostgres, opened

from crux_langgraph.stores import State

FORK = get_context("fork")
SLICE_S = {"no": 0.12, "yes": 0.6}
"""By whether the disk is waited for: one flush takes some milliseconds."""

BARS = {
    ("sqlite", "no"): (0.6, 0.7),
    ("postgres", "no"): (0.35, 0.55),
    ("sqlite", "yes"): (0.6, 0.7),
    ("postgres", "yes"): (0.6, 0.7),
}


def worker(family: str, place: str, disk: str, size: int, pipe: Any) -> None:
    """Do slices of work as it is told: whose, what, for how long, and answer how many were done in how many seconds."""
    raw, ours = opened(family, place, disk)
    body, scope = secrets.token_bytes(size), f"s{os.getpid()}"
    ours.store.latest(HANDOFF, scope)
    while (told := pipe.recv()) is not None:
        whose, what, start_at = told
        side = raw if whose == "raw" else ours
        work: Callable[[], Any] = (lambda s=side: s.send(scope, body)) if what == "send" else side.take
        while time.monotonic() < start_at:
            time.sleep(0.001)
        done, started = 0, time.monotonic()
        while time.monotonic() < start_at + SLICE_S[disk] and work() is not False:
            done += 1
        pipe.send((done, time.monotonic() - started))


def rates(family: str, place: str, disk: str, size: int, processes: int, rounds: int) -> None:
    """Print the ratio of our rate to the raw one, for sends and for claims with their acknowledgement."""
    sides = dict(zip(("raw", "ours"), opened(family, place, disk), strict=True))
    sides["ours"].store.latest(HANDOFF, "s")
    pipes = []
    for _ in range(processes):
        here, there = FORK.Pipe()
        FORK.Process(target=worker, args=(family, place, disk, size, there), daemon=True).start()
        pipes.append(here)
    for what, bar in zip(("send", "claim+ack"), BARS[family, disk], strict=True):
        pairs = [pair(sides, pipes, what, size, turn) for turn in range(rounds + 1)][1:]  # the first one warms up
        ratio, raw = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(
            f"{family:9} flushes {disk:3} {size // 1000:4} KB  {processes} process(es)  {what:10}"
            f" {ratio:5.2f} of raw ({raw:7.0f}/s)   >= {bar} {'' if ratio >= bar else 'MISSED'}",
            flush=True,
        )
    for pipe in pipes:
        pipe.send(None)


def pair(sides: dict[str, Any], pipes: list[Any], what: str, size: int, turn: int) -> tuple[float, float]:
    """Run one slice of each side, in turns the one or the other first; give the ratio and the raw rate."""
    rate = {}
    for whose in ("raw", "ours") if turn % 2 else ("ours", "raw"):
        sides[whose].clear()
        if what != "send":
            sides[whose].fill(20_000 if size < 10_000 else 1_500, size)
            sides[whose].db.execute("analyze")
        start_at = time.monotonic() + 0.02
        for pipe in pipes:
            pipe.send((whose, what, start_at))
        rate[whose] = sum(done / took for done, took in (pipe.recv() for pipe in pipes))
    return rate["ours"] / rate["raw"], rate["raw"]


def latencies(family: str, few: str, many: str) -> None:
    """Claim with few and with many rows stored, nearly all of them done: turn about, so that noise falls on both."""
    sides = [filled(family, few, 1_000), filled(family, many, 1_000_000)]
    took: list[list[float]] = [[] for _ in sides]
    for _ in range(400):
        for store, times in zip(sides, took, strict=True):
            started = time.perf_counter()
            lease = store.claim(HANDOFF, None, lease_s=60, exclusive=False)
            times.append(time.perf_counter() - started)
            store.settle(lease, State.DONE)
    base, cost = (statistics.median(times[50:]) for times in took)
    print(f"{family:9} claim latency {base * 1e6:.0f} us with 10^3 rows, {cost / base:.2f} times with 10^6   <= 1.5")


def filled(family: str, place: str, count: int) -> Any:
    """Give a store with so many rows that are done and 400 that are not."""
    raw, ours = opened(family, place, "no")
    ours.store.latest(HANDOFF, "s")
    for _ in range(max(1, count // 100_000)):
        ours.fill(min(count, 100_000), 100, state=1)
    ours.fill(400, 100)
    raw.db.execute("analyze" if family == "sqlite" else "vacuum analyze")  # or Postgres does it while we measure
    return ours.store


def wake_ups(family: str, place: str) -> None:
    """Measure how long after the commit a waiter in another process has the record, and what waiting costs."""
    _, ours = opened(family, place, "no")
    ours.store.latest(HANDOFF, "s")
    here, there = FORK.Pipe()
    FORK.Process(target=waiter, args=(family, place, there), daemon=True).start()
    here.recv()
    took = []
    for _ in range(40):
        time.sleep(0.05 + secrets.randbelow(100) / 1000)
        ours.send("wake", repr(time.time()).encode())
        sent = time.time()
        took.append(here.recv() - sent)
    time.sleep(0.2)
    here.send("idle")
    cpu = here.recv()
    print(
        f"{family:9} wake-up median {statistics.median(took) * 1e3:.1f} ms, worst {max(took) * 1e3:.1f} ms   <= 10;"
        f"  waiting takes {cpu:.2%} of a core   <= 0.5%"
    )


def waiter(family: str, place: str, pipe: Any) -> None:
    _, ours = opened(family, place, "no")
    after = 0
    with ours.store.watch(HANDOFF, "wake") as ticket:
        time.sleep(0.5)
        pipe.send("ready")
        for _ in range(40):
            while (found := ours.store.latest(HANDOFF, "wake", after=after)) is None:
                ticket.wait(2.0)
            pipe.send(time.time())
            after = found.id
        pipe.recv()
        cpu, started = time.process_time(), time.monotonic()
        while time.monotonic() < started + 5:
            ours.store.latest(HANDOFF, "wake", after=after)
            ticket.wait(2.0)
        pipe.send((time.process_time() - cpu) / (time.monotonic() - started))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    parser.add_argument("--disk", choices=["no", "yes"])
    parser.add_argument("--quick", action="store_true", help="the rates alone")
    asked = parser.parse_args()
    families = [asked.only] if asked.only else ["sqlite", "postgres"]
    for disk in [asked.disk] if asked.disk else ["no", "yes"]:
        with tempfile.TemporaryDirectory() as folder, Postgres(durable=disk == "yes") as server:
            for family in families:
                fresh = 0

                def place(family: str = family, folder: str = folder, server: Postgres = server) -> str:
                    nonlocal fresh
                    fresh += 1
                    if family == "sqlite":
                        return f"{folder}/{fresh}.sqlite"
                    url = server.new_database()
                    RawPostgres(url).setup()
                    return url

                for size in (1_000, 100_000):
                    for processes in (1, 4):
                        rates(family, place(), disk, size, processes, asked.rounds)
                if disk == "no" and not asked.quick:
                    latencies(family, place(), place())
                    wake_ups(family, place())


if __name__ == "__main__":
    main()
