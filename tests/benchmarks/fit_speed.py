"""What a whole `fit` costs: its CPU time over that of one count of the same text by the default counter.

Both run in one process, on texts of five kinds and three sizes, which all have to be cut. The target is a ratio of at
most 30 that does not rise with the size.

    uv run python tests/benchmarks/fit_speed.py [--megabytes 0.1,1,10] [--budgets 1000,4000]
"""

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from crux_langgraph.compression import estimate_tokens, fit

DATA = Path(__file__).parent / "data" / "airline.jsonl"
WORDS = [
    "harbour",
    "island",
    "storm",
    "captain",
    "rope",
    "sail",
    "mast",
    "crew",
    "cargo",
    "barrel",
    "pier",
    "map",
    "north",
    "wind",
    "anchor",
    "ledger",
]
TASK = "Which orders failed after the storm, and what did the captain decide about the cargo?"


def sized(pieces: Iterator[Any], size: int) -> list[Any]:
    """Take pieces up to a size in characters."""
    taken: list[Any] = []
    while size > 0:
        taken.append(next(pieces))
        size -= len(json.dumps(taken[-1], ensure_ascii=False)) + 2
    return taken


def sentences(rng: random.Random) -> Iterator[str]:
    while True:
        words = [
            rng.choice(WORDS) if rng.random() < 0.5 else f"word{int(rng.paretovariate(0.6)) % 20_000}"
            for _ in range(14)
        ]
        yield f"{' '.join(words).capitalize()} {rng.randrange(10**4)}."


def prose(rng: random.Random, size: int) -> str:
    return " ".join(sized(sentences(rng), size))


def messages(rng: random.Random, size: int) -> list[dict[str, Any]]:
    talks = [json.loads(line)["messages"] for line in DATA.read_text(encoding="utf-8").splitlines()]
    return sized((message for _ in iter(int, 1) for message in rng.choice(talks)), size)


def record(rng: random.Random) -> dict[str, Any]:
    return {
        "id": f"ord_{rng.randrange(10**8)}",
        "customer": {"name": f"{rng.choice(WORDS).title()} {rng.choice(WORDS).title()}", "tier": rng.choice(WORDS)},
        "created_at": f"2025-0{rng.randrange(1, 10)}-1{rng.randrange(10)}T0{rng.randrange(10)}:22:01Z",
        "items": [{"sku": f"SKU-{rng.randrange(9999)}", "price": rng.randrange(9999) / 100} for _ in range(2)],
        "note": " ".join(rng.choices(WORDS, k=rng.randrange(3, 20))),
        "paid": rng.random() < 0.5,
    }


def records(rng: random.Random, size: int) -> list[dict[str, Any]]:
    return sized((record(rng) for _ in iter(int, 1)), size)


def line(rng: random.Random, number: int) -> str:
    said = rng.choice(["request finished", "cache miss for key", "retrying connection to", "slow query took"])
    level = rng.choice(["INFO", "DEBUG", "WARN"])
    where = f"[worker-{rng.randrange(16)}] app.{rng.choice(WORDS)}"
    return f"09:{number // 60 % 60:02}:{number % 60:02} {level} {where}: {said} id={rng.getrandbits(48):012x} ms={rng.randrange(4000)}"


def tool_log(rng: random.Random, size: int) -> list[dict[str, Any]]:
    lines = sized((line(rng, number) for number in iter(lambda: rng.randrange(10**6), -1)), size)
    call = {"id": "c1", "name": "read_log", "args": {"file": "app.log"}}
    return [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "\n".join(lines)},
    ]


def small_fields(rng: random.Random, size: int) -> dict[str, Any]:
    values: list[Callable[[], Any]] = [
        lambda: rng.randrange(10**6),
        lambda: rng.choice(WORDS),
        lambda: True,
        lambda: None,
    ]
    sections = sized(({f"field_{n}": rng.choice(values)() for n in range(40)} for _ in iter(int, 1)), size)
    return {f"section_{number}": section for number, section in enumerate(sections)}


KINDS: dict[str, Callable[[random.Random, int], Any]] = {
    "prose": prose,
    "messages": messages,
    "records": records,
    "tool log": tool_log,
    "small fields": small_fields,
}


def cpu_s(run: Callable[[], object], rounds: int) -> float:
    """Give the least CPU time of some rounds, in seconds."""
    times: list[float] = []
    for _ in range(rounds):
        started = time.process_time()
        run()
        times.append(time.process_time() - started)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", default="0.1,1,10")
    parser.add_argument("--budgets", default="1000,4000")
    arguments = parser.parse_args()
    budgets = list(map(int, arguments.budgets.split(",")))
    print(f"{'':14}{'MB':>6}{'count ms':>10}" + "".join(f"{f'fit {budget} ms':>14}{'ratio':>7}" for budget in budgets))
    for kind, make in KINDS.items():
        for megabytes in map(float, arguments.megabytes.split(",")):
            value = make(random.Random(7), int(megabytes * 1e6))
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            rounds = 2 if megabytes > 5 else 5 if megabytes > 0.5 else 40  # short ones are disturbed more
            count_s = cpu_s(partial(estimate_tokens, text), max(15, rounds))
            row = f"{kind:14}{len(text) / 1e6:6.1f}{count_s * 1e3:10.2f}"
            for budget in budgets:
                fit_s = cpu_s(partial(fit, value, budget, task=TASK), rounds)
                row += f"{fit_s * 1e3:14.1f}{fit_s / count_s:7.1f}"
            print(row, flush=True)


if __name__ == "__main__":
    main()
