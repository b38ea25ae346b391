"""Over random executions: every start has exactly one end, and no listener's error reaches the handoff."""

import asyncio
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.runnables.config import var_child_runnable_config
from langgraph.errors import GraphInterrupt, ParentCommand
from langgraph.types import Command
from support import GOOD, Brief, Research
from watching import Seen

from crux_langgraph import delegate, errors, handoff

ENDINGS: dict[str, BaseException | None] = {
    "gives": None,
    "raises": ValueError("no"),
    "interrupts": GraphInterrupt(()),
    "steers": ParentCommand(Command(goto="x")),
    "is cancelled": asyncio.CancelledError(),
}
MOODS = ("fine", "breaks at starts", "breaks at ends", "insists at starts", "insists at ends")


class Moody(Seen):
    """Listens, and breaks where its mood says so; one that insists wants its errors raised."""

    def __init__(self, mood: str) -> None:
        super().__init__()
        self.mood = mood
        self.raise_error = mood.startswith("insists")

    def on_chain_start(self, *args: Any, **told: Any) -> None:
        super().on_chain_start(*args, **told)
        self.sulk("starts")

    def finish(self, run_id: Any, value: Any) -> None:
        super().finish(run_id, value)
        self.sulk("ends")

    def sulk(self, when: str) -> None:
        if self.mood.endswith(when):
            raise ZeroDivisionError


class SlowMoody(AsyncCallbackHandler):
    """The same, told asynchronously and not at once."""

    def __init__(self, inner: Moody) -> None:
        self.inner = inner
        self.raise_error = inner.raise_error

    async def on_chain_start(self, *args: Any, **told: Any) -> None:
        await asyncio.sleep(0)
        self.inner.on_chain_start(*args, **told)

    async def on_chain_end(self, *args: Any, **told: Any) -> None:
        await asyncio.sleep(0)
        self.inner.on_chain_end(*args, **told)

    async def on_chain_error(self, *args: Any, **told: Any) -> None:
        await asyncio.sleep(0)
        self.inner.on_chain_error(*args, **told)


class Executions(RuleBasedStateMachine):
    """Handoffs and delegates that end in every way, in turn, at once and inside each other, before any listeners."""

    def __init__(self) -> None:
        super().__init__()
        self.moody: list[Moody] = []
        self.handlers: list[Any] = []
        self.expected = 0

    @rule(mood=st.sampled_from(MOODS), is_slow=st.booleans())
    def listen(self, mood: str, is_slow: bool) -> None:
        moody = Moody(mood)
        self.moody = [*self.moody, moody][-3:]
        self.handlers = [*self.handlers, SlowMoody(moody) if is_slow else moody][-3:]

    @rule(ending=st.sampled_from(sorted(ENDINGS)), depth=st.integers(0, 2))
    def hand_over(self, ending: str, depth: int) -> None:
        self.run(lambda: crossing(ending, depth).prepare(GOOD), ENDINGS[ending])

    @rule(endings=st.lists(st.sampled_from(sorted(ENDINGS)), min_size=1, max_size=4))
    def hand_over_at_once(self, endings: list[str]) -> None:
        async def together() -> None:
            flows = [crossing(ending, 0).aprepare(GOOD) for ending in endings]
            ended = await asyncio.gather(*flows, return_exceptions=True)
            expected = [ENDINGS[ending] is not None for ending in endings]
            assert [isinstance(one, BaseException) for one in ended] == expected
            assert not any(isinstance(one, ZeroDivisionError) for one in ended)

        self.run(lambda: finished(together), None)

    @rule(ending=st.sampled_from(sorted(ENDINGS)), query=st.sampled_from(["Why?", 3]))
    def delegate(self, ending: str, query: Any) -> None:
        expected = ENDINGS[ending] if query == "Why?" else ValueError()
        self.run(lambda: research(ending).run({"query": query}), expected)

    @rule(delay=st.sampled_from([0, 0.0005, 0.002]))
    def cancel(self, delay: float) -> None:
        async def cancelled() -> None:
            task = asyncio.ensure_future(crossing("waits", 0).aprepare(GOOD))
            await asyncio.sleep(delay)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled()

        self.run(lambda: finished(cancelled), None)

    def run(self, work: Any, expected: BaseException | None) -> None:
        token = var_child_runnable_config.set({"callbacks": list(self.handlers)})
        try:
            work()
        except (errors.CruxError, GraphInterrupt, ParentCommand, asyncio.CancelledError):
            assert expected is not None
        else:
            assert expected is None
        finally:
            var_child_runnable_config.reset(token)

    @invariant()
    def every_start_has_one_end(self) -> None:
        for moody in self.moody:
            assert moody.started.keys() == moody.ended.keys()
            assert moody.twice == []


def finished(work: Any) -> None:
    with asyncio.Runner() as runner:
        runner.run(work())


def crossing(ending: str, depth: int) -> Any:
    if ending == "waits":

        async def waits(research: Research) -> Brief:
            await asyncio.sleep(5)
            return Brief(task=research.question)

        return handoff(waits)

    def transform(research: Research) -> Brief:
        if depth:
            return crossing(ending, depth - 1).prepare(research).data
        if error := ENDINGS[ending]:
            raise error
        return Brief(task=research.question)

    return handoff(transform)


def research(ending: str) -> Any:
    def subagent(query: str) -> Research:
        """Look it up."""
        if error := ENDINGS[ending]:
            raise error
        return Research(question=query)

    return delegate(handoff=crossing("gives", 0))(subagent)


TestExecutions = Executions.TestCase
TestExecutions.settings = settings(max_examples=20, stateful_step_count=10, deadline=None)
