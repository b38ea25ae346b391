"""What a handoff on an edge costs: whole `invoke` times over those of the same graph with a hand-written node.

The hand-written node does the same work without this package: validates in, transforms, validates out (a dump and a
validation, since pydantic takes an instance on trust) and writes an equal envelope. Both graphs run alternately in one
process; the ratio is of the medians. `--cpu` takes this process's CPU time for the wall's, for a machine that others use.

    uv run python tests/benchmarks/edge.py [--rounds N] [--cpu]
"""

import argparse
import asyncio
import json
import operator
import time
from collections.abc import Callable
from typing import Annotated, Any

from alternating import medians
from by_hand import Research, Source, handed_over, to_brief
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from crux_langgraph import estimate_tokens, handoff
from crux_langgraph.graph import HandoffState, add_handoff


class State(HandoffState, total=False):
    research: dict[str, Any]
    done: bool


class PlainState(TypedDict, total=False):
    research: dict[str, Any]
    done: bool
    handoffs: Annotated[dict[str, Any], operator.or_]


def crossed_by_hand(state: PlainState) -> dict[str, Any]:
    envelope = handed_over(state["research"], from_agent="a", to_agent="b")
    return {"handoffs": {envelope["id"]: envelope}}


def research_of(size: int) -> dict[str, Any]:
    """A payload of about `size` bytes of JSON: half prose, half records."""
    records = max(1, size // 2 // 90)
    sources = [
        Source(url=f"https://example.com/articles/{n:05}", title=f"Article number {n} of the survey", score=n / records)
        for n in range(records)
    ]
    prose = "The cloud migration of the billing system took 14 weeks and cost 1.2 million. " * (size // 2 // 80 + 1)
    return Research(question="How did the migration go?", findings=prose, sources=sources).model_dump()


def build(value: dict[str, Any], *, max_tokens: int | None, ours: bool) -> Any:
    builder: Any = StateGraph(State if ours else PlainState)
    builder.add_node("a", lambda _: {"research": value})
    builder.add_node("b", lambda _: {"done": True})
    builder.add_edge(START, "a")
    builder.add_edge("b", END)
    if ours:
        contract = handoff(from_agent="a", to_agent="b", max_tokens=max_tokens)(to_brief)
        add_handoff(builder, contract, read="research")
    else:
        builder.add_node("to-brief", crossed_by_hand)
        builder.add_edge("a", "to-brief")
        builder.add_edge("to-brief", "b")
    return builder.compile()


def measure(size: int, rounds: int, clock: Callable[[], float], *, is_async: bool) -> dict[str, Any]:
    value = research_of(size)
    plain, ours = build(value, max_tokens=None, ours=False), build(value, max_tokens=None, ours=True)
    if is_async:
        with asyncio.Runner() as loop:
            base, cost = medians(
                rounds, lambda: loop.run(plain.ainvoke({})), lambda: loop.run(ours.ainvoke({})), clock=clock
            )
    else:
        base, cost = medians(rounds, lambda: plain.invoke({}), lambda: ours.invoke({}), clock=clock)
    return {
        "bytes": len(json.dumps(value)),
        "way": "ainvoke" if is_async else "invoke",
        "by_hand_ms": base * 1e3,
        "ours_ms": cost * 1e3,
        "ratio": cost / base,
    }


def measure_budget(size: int, rounds: int, clock: Callable[[], float]) -> dict[str, Any]:
    """How many estimate counts of the rendered text `max_tokens` adds to a payload that fits."""
    value = research_of(size)
    free, limited = handoff(from_agent="a")(to_brief), handoff(from_agent="a", max_tokens=10**7)(to_brief)
    context = free.prepare(value).context
    base, cost, count = medians(
        rounds,
        lambda: free.prepare(value),
        lambda: limited.prepare(value),
        lambda: estimate_tokens(context),
        clock=clock,
    )
    return {"bytes": size, "added_ms": (cost - base) * 1e3, "count_ms": count * 1e3, "counts": (cost - base) / count}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--cpu", action="store_true")
    given = parser.parse_args()
    rounds, clock = given.rounds, time.process_time if given.cpu else time.perf_counter
    print(f"{'bytes':>8} {'way':8} {'by hand ms':>11} {'ours ms':>9} {'ratio':>6}   bar")
    for size, bar in ((1_000, 1.15), (100_000, 1.30)):
        for is_async in (False, True):
            row = measure(size, rounds, clock, is_async=is_async)
            print(
                f"{row['bytes']:8} {row['way']:8} {row['by_hand_ms']:11.3f} {row['ours_ms']:9.3f} {row['ratio']:6.2f}   <= {bar}"
            )
    for size in (10_000, 100_000):
        row = measure_budget(size, rounds, clock)
        print(f"max_tokens, fits, {size} bytes: {row['counts']:.1f} estimate counts more   <= 3")


if __name__ == "__main__":
    main()
