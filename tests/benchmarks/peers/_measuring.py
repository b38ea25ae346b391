"""Running one scenario in one setting, and counting what went through it."""

import json
import re
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, get_args

from ._model import Sent
from ._request import written
from ._rules import Fault
from ._scenario import Scenario
from ._settings import Setting
from ._team import Team

Counter = Callable[[str], int]

_MARKER = re.compile(r"(?<=data )(?:[a-zA-Z]{28})(?=>)")


class Run(NamedTuple):
    """What one run of a scenario left: the final answer of each turn, and every call of a model."""

    answers: Sequence[str]
    sent: Sequence[Sent]
    wall_s: float
    cpu_s: float

    def found(self, scenario: Scenario) -> int:
        """Count the figures that the final answers hold, each in its own turn."""
        return sum(figure in text for turn, text in enumerate(self.answers) for figure in scenario.figures(turn))

    def tokens(self, counter: Counter) -> dict[str, int]:
        """Count by agent what the models were sent: messages, tool calls, and the tools themselves."""
        total: dict[str, int] = {}
        for one in self.sent:
            total[one.agent] = total.get(one.agent, 0) + counter(request_text(one))
        return total

    @property
    def models_s(self) -> float:
        """The seconds in which at least one model worked."""
        total, until = 0.0, 0.0
        for one in sorted(self.sent, key=lambda sent: sent.began_s):
            total += max(0.0, one.ended_s - max(one.began_s, until))
            until = max(until, one.ended_s)
        return total


def request_text(one: Sent) -> str:
    # The marker of a fence is drawn anew each time, and takes a token more or less: all are counted as one and the same.
    return _MARKER.sub("aBcDeFgHiJkLmNoPqRsTuVwXyZaB", "\n".join([*map(written, one.messages), json.dumps(one.tools)]))


def run(scenario: Scenario, setting: Setting, *, latency_s: float = 0.0, fault: Fault | None = None) -> Run:
    """Build it anew and let the user speak each turn in one conversation."""
    team = Team(scenario, latency_s, fault)
    graph = setting.builder(scenario.variant)(team)
    thread: Any = {"configurable": {"thread_id": "1"}}
    wall, cpu = time.perf_counter(), time.process_time()
    ends = [graph.invoke({"messages": [("user", turn)]}, thread) for turn in scenario.turns]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Run([end["messages"][-1].text for end in ends], team.sent, wall, cpu)


class Counts(NamedTuple):
    """What is the same in every run of a scenario in a setting."""

    calls: int
    tokens: dict[str, int]
    """By agent, estimated."""
    exact: int | None
    """Exactly, of all agents; None without the counter."""
    figures: int
    """In the final answers."""
    caught: int | None
    """Of the bad results, those that the agent was told of; None where no result has fields."""
    figures_after: int | None
    """In the final answers after the bad results."""
    lines: int


FAULTS: tuple[Fault, ...] = get_args(Fault)


def count(scenario: Scenario, setting: Setting, estimate: Counter, exact: Counter | None) -> Counts:
    """Run it once as it should be, and once with each fault."""
    good = run(scenario, setting)
    faulty = [run(scenario, setting, fault=fault) for fault in FAULTS] if has_faults(scenario) else []
    return Counts(
        calls=len(good.sent),
        tokens=good.tokens(estimate),
        exact=sum(good.tokens(exact).values()) if exact else None,
        figures=good.found(scenario),
        caught=sum(any(one.was_refused for one in bad.sent) for bad in faulty) if faulty else None,
        figures_after=sum(bad.found(scenario) for bad in faulty) if faulty else None,
        lines=setting.lines(scenario.variant),
    )


def has_faults(scenario: Scenario) -> bool:
    """Whether there is a second specialist, whose result can be bad."""
    return len(scenario.specialists) > 1


class Times(NamedTuple):
    """The best of several runs."""

    over_models: float
    """Wall time over the time in which at least one model worked."""
    over_one_call: float
    """Wall time over the time of one model call."""
    cpu_ms: float
    """CPU time of the process, with models that take no time."""


def timed(scenario: Scenario, settings: Sequence[Setting], latency_s: float, rounds: int) -> dict[str, Times]:
    """Run all settings in turn, `rounds` times with models that take `latency_s` and as often with models that take none."""
    for one in settings:
        run(scenario, one)  # imports and caches are nobody's overhead
    slow = [[run(scenario, one, latency_s=latency_s) for one in settings] for _ in range(rounds)]
    quick = [[run(scenario, one) for one in settings] for _ in range(rounds)]
    return {
        one.name: Times(
            over_models=min(turn[place].wall_s / turn[place].models_s for turn in slow),
            over_one_call=min(turn[place].wall_s for turn in slow) / latency_s,
            cpu_ms=min(turn[place].cpu_s for turn in quick) * 1e3,
        )
        for place, one in enumerate(settings)
    }
