"""The tables of docs/peers.md, and the sentences that say where a peer is better."""

import re
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from ._measuring import FAULTS, Counts, Times, has_faults
from ._scenario import COORDINATOR, Scenario
from ._settings import OURS

Counted = Sequence[tuple[Scenario, Mapping[str, Counts]]]
Timed = Sequence[tuple[Scenario, Mapping[str, Times]]]

PACKAGES = (
    "langgraph-swarm",
    "langgraph-supervisor",
    "deepagents",
    "langchain",
    "langchain-core",
    "langgraph",
    "pydantic",
)

COSTS = ("", "calls", "tokens", "ours = 1", "exact", "lines")
RESULTS = ("", "figures", "bad results caught", "figures then")
TIMES = ("", "wall time over the models'", "wall time over one call's", "CPU ms")


def total(counts: Counts) -> int:
    """Give the tokens that all agents were sent."""
    return sum(counts.tokens.values())


_LESS: Mapping[str, Callable[[Counts], float]] = {
    "Fewer model calls": lambda counts: counts.calls,
    "Fewer tokens": total,
    "Fewer lines": lambda counts: counts.lines,
}


def costs_text(counted: Counted) -> str:
    """Write a table for each scenario: what an answer costs."""
    return "\n\n".join(
        f"### {_title(scenario)}\n\n{table(COSTS, [_cost(name, one, rows[OURS]) for name, one in rows.items()])}"
        for scenario, rows in counted
    )


def _cost(name: str, one: Counts, ours: Counts) -> list[str]:
    exact = "-" if one.exact is None else f"{one.exact:,}"
    return [name, str(one.calls), f"{total(one):,}", f"{total(one) / total(ours):.2f}", exact, str(one.lines)]


def results_text(counted: Counted) -> str:
    """Write a table for each scenario: what reached the answer, and what became of bad results."""
    return "\n\n".join(
        f"**{_title(scenario)}**\n\n{table(RESULTS, [_result(name, one, scenario) for name, one in rows.items()])}"
        for scenario, rows in counted
    )


def _result(name: str, one: Counts, scenario: Scenario) -> list[str]:
    figures, bad = len(scenario.figures()), len(FAULTS)
    found = [name, f"{one.figures} of {figures}"]
    if not has_faults(scenario):
        return [*found, "-", "-"]
    return [*found, f"{one.caught} of {bad}", f"{one.figures_after} of {bad * figures}"]


def agents_text(counted: Counted) -> str:
    """Write what each agent was sent, in a table for each scenario."""
    parts: list[str] = []
    for scenario, rows in counted:
        agents = [name for name in (COORDINATOR, *scenario.names) if any(name in one.tokens for one in rows.values())]
        cells = [
            [name, *(f"{one.tokens[a]:,}" if a in one.tokens else "-" for a in agents)] for name, one in rows.items()
        ]
        parts.append(f"**{_title(scenario)}**\n\n{table(('', *agents), cells)}")
    return "\n\n".join(parts)


def better_text(counted: Counted) -> str:
    """Say, for each scenario, which peers need less of what than this package."""
    return "\n".join(f"- {_title(scenario)}. {_better(rows)}" for scenario, rows in counted)


def _better(rows: Mapping[str, Counts]) -> str:
    less = {what: [name for name, one in rows.items() if of(one) < of(rows[OURS])] for what, of in _LESS.items()}
    return " ".join(f"{what}: {'; '.join(names) or 'none'}." for what, names in less.items())


def times_text(timed: Timed) -> str:
    """Write the times in a table for each scenario."""
    parts: list[str] = []
    for scenario, rows in timed:
        cells = [
            [name, f"{t.over_models:.2f}", f"{t.over_one_call:.1f}", f"{t.cpu_ms:.0f}"] for name, t in rows.items()
        ]
        parts.append(f"**{_title(scenario)}**\n\n{table(TIMES, cells)}")
    return "\n\n".join(parts)


def versions_text() -> str:
    return ", ".join(f"{name} {version(name)}" for name in PACKAGES)


def table(head: Any, rows: list[list[str]]) -> str:
    lines = [list(head), ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _title(scenario: Scenario) -> str:
    return scenario.name[:1].upper() + scenario.name[1:]


def block(page: str, name: str) -> str:
    """Give what stands between the marks of a generated part."""
    found = re.search(rf"<!-- {name} -->\n\n(.*?)\n\n<!-- /{name} -->", page, re.DOTALL)
    if found is None:
        message = f"the page has no part {name!r}"
        raise LookupError(message)
    return found[1]


def with_block(page: str, name: str, text: str) -> str:
    """Give the page with another text in a generated part."""
    old = f"<!-- {name} -->\n\n{block(page, name)}\n\n<!-- /{name} -->"
    return page.replace(old, f"<!-- {name} -->\n\n{text}\n\n<!-- /{name} -->")
