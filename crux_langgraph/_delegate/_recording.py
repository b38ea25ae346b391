"""The runs of one call of a delegate: `delegate:start` before the subagent's own run, `delegate:complete` after it."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

from pydantic import BaseModel

from crux_langgraph._contract import Contract
from crux_langgraph._delegate._result import DelegateResult
from crux_langgraph._delegate._subagent import Call, Returned, Run
from crux_langgraph._handoff import Handoff
from crux_langgraph._waiting import Way
from crux_langgraph.instrumentation import Facts, Recording, as_subagent, identity, is_inside_a_run, repairing

START, COMPLETE = "delegate:start", "delegate:complete"

Ended = Callable[[DelegateResult[Any]], None]


class Recorder(NamedTuple):
    """What the runs of one delegate have in common."""

    facts: Facts
    subagent: str
    arguments: Contract[Any]

    @classmethod
    def of(cls, delegate: str, subagent: str, handoff: Handoff[Any, Any], arguments: type[BaseModel]) -> "Recorder":
        """Make it from the delegate's id, its subagent's name and what it takes and gives."""
        crossing = identity(handoff.id, handoff.from_agent, handoff.to_agent, "await")
        return cls({"crux_delegate_id": delegate, **crossing}, subagent, Contract(arguments))

    def refusal(self, way: Way) -> Recording:
        """Give the run of a call that is refused for its arguments."""
        return Recording(way, START, self.facts, is_alone=True)

    @asynccontextmanager
    async def call(self, way: Way, arguments: BaseModel) -> AsyncGenerator[Ended]:
        """Stand around one call with checked arguments; what is yielded takes its result.

        Outside of any run a third one, named as the subagent, is around both and the subagent's: they are one trace.
        """

        def given() -> Facts:
            return {"arguments": self.arguments.shown(arguments)}

        runs = [Recording(way, COMPLETE, self.facts, is_alone=True)]

        def ended(result: DelegateResult[Any]) -> None:
            for run in runs:
                run.end(lambda: _shown(result), lambda: _facts(result))

        async with AsyncExitStack() as stack:
            if runs[0].is_heard and not is_inside_a_run():
                around = Recording(way, self.subagent, self.facts)
                runs.append(await stack.enter_async_context(around))
                await around.start(given)
            async with Recording(way, START, self.facts, is_alone=True) as start:
                await start.start(given)
            # It begins when the block is left: a run of no length, as the other.
            await stack.enter_async_context(runs[0])
            yield ended

    async def run(self, way: Way, run: Run, call: Call) -> Returned:
        """Run the subagent, marked as one in the trace; a repair is a run around it."""
        with as_subagent(self.subagent):
            if call.repair is None:
                return await run(way, call)
            asked = call.repair
            async with repairing(way, self.facts, asked.attempt, lambda: {"problems": list(map(str, asked.problems))}):
                return await run(way, call)


def _shown(result: DelegateResult[Any]) -> Facts:
    return {"payload": result.payload.contract.shown(result.data), "summary": result.summary}


def _facts(result: DelegateResult[Any]) -> Facts:
    return {
        "crux_payload_id": result.payload.id,
        "crux_duration_s": result.duration_s,
        "crux_subagent_duration_s": result.subagent_duration_s,
        "crux_repairs": result.repairs,
    }
