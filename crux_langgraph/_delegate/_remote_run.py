"""One call of a remote subagent: look where its thread stands, do what is missing, bridge its questions.

Every step can be repeated: a run that is there is joined, an answer is sent only while its question is open, a run that
failed goes on where it failed. So a caller that was interrupted, retried, or killed and started again ends in one run.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast
from uuid import uuid4

from langchain_core.messages import messages_from_dict
from langgraph.errors import ParentCommand
from langgraph.runtime import get_runtime
from langgraph.types import interrupt
from pydantic_core import to_jsonable_python

from crux_langgraph._delegate._failing import Why, without_an_end
from crux_langgraph._delegate._graph import INTERRUPTED, MESSAGES, read_end
from crux_langgraph._delegate._remote import RemoteSubagent
from crux_langgraph._delegate._remote_server import Server, connected, is_live
from crux_langgraph._delegate._remote_thread import configurable, thread_for
from crux_langgraph._delegate._subagent import Call, Returned
from crux_langgraph._waiting import Way
from crux_langgraph.errors import RemoteFailureError, SubagentError, TransportError

# In the metadata of each run, which the server keeps: whose it is, the repair it is for, the questions it answers.
_OWNER, _STEP, _ASKED = "crux_delegate", "crux_step", "crux_asked"


class Standing(NamedTuple):
    """Where a thread stands in one step: the step's runs, oldest first, and the state that the last of them left."""

    runs: tuple[Mapping[str, Any], ...]
    state: Mapping[str, Any]

    @property
    def asks(self) -> list[Mapping[str, Any]]:
        """The open questions."""
        return [asked for task in self.state.get("tasks", ()) for asked in task["interrupts"]]

    @property
    def answered(self) -> list[Any]:
        """The questions whose answers were sent, in their order."""
        return [question for run in self.runs for question in run["metadata"].get(_ASKED, ())]

    @property
    def is_stopped(self) -> bool:
        """Whether the last run did not come to its end: it failed, timed out, or was cancelled."""
        return bool(self.runs[-1]["status"] != "success")


class RemoteRun:
    """One call: its thread, on which further runs continue the conversation to have the return repaired."""

    def __init__(self, subagent: RemoteSubagent) -> None:
        """Begin without a thread."""
        self._of = subagent
        self._thread = ""
        self._step = 0

    async def __call__(self, way: Way, call: Call, /) -> Returned:
        """Run the assistant to its end, unless that was done before, and read what the handoff takes from it."""
        of = self._of
        self._thread = self._thread or thread_for((of.id, of.address.url, of.address.assistant), call)
        self._step = 0 if call.repair is None else call.repair.attempt
        async with connected(way, of.address) as server:
            await of.agree(server)
            given = of.input(call)
            state = await self._done(server, given, self._sent_along(call))
        return Returned(read_end(of.output, state), state)

    async def plain(self, way: Way, given: Mapping[str, Any]) -> Any:
        """Run the assistant on a new thread and give its final state, unread."""
        self._thread = str(uuid4())
        async with connected(way, self._of.address) as server:
            return await self._done(server, given, {})

    async def _done(self, server: Server, given: Mapping[str, Any], along: Mapping[str, Any]) -> Any:
        at = await self._standing(server, _forward())
        for question in at.answered:  # LangGraph gives the answers of this task again in the order of its questions
            self._ask(question)
        if not at.runs:
            at = await self._run(server, along, input=to_jsonable_python(given))
        elif at.is_stopped:
            goes_on = {} if at.state.get("next") else {"input": to_jsonable_python(given)}
            at = await self._run(server, along, **goes_on)
        while at.asks and not at.is_stopped:
            asks = at.asks
            answers = {asked["id"]: self._ask(asked["value"]) for asked in asks}
            questions = [asked["value"] for asked in asks]
            at = await self._run(server, along, questions, command={"resume": answers})
        if at.is_stopped:
            raise await self._failure(server, at)
        return parsed(at.state["values"])

    async def _standing(self, server: Server, forward: Callable[[Any], None]) -> Standing:
        runs = await self._settled(server, forward)
        mine = tuple(run for run in reversed(runs) if run["metadata"].get(_STEP) == self._step)
        if not mine:
            return Standing((), {})
        if runs[0]["metadata"].get(_STEP) == self._step:
            return Standing(mine, await server.state(self._thread))
        return Standing(mine, await server.state_after(self._thread, mine[-1]["run_id"]))

    async def _settled(self, server: Server, forward: Callable[[Any], None]) -> list[Mapping[str, Any]]:
        """Give this delegate's runs of the thread, newest first, after waiting for one that is under way."""
        runs = await server.runs(self._thread)
        live = [run for run in runs if is_live(run)]
        if any(not self._is_mine(run) for run in live):
            raise self._busy()
        for run in live:
            await server.join(self._thread, run["run_id"], forward)
        settled = await server.runs(self._thread) if live else runs
        return [run for run in settled if self._is_mine(run)]

    def _is_mine(self, run: Mapping[str, Any]) -> bool:
        return bool(run["metadata"].get(_OWNER) == self._of.id)

    def _busy(self) -> TransportError:
        return TransportError(
            delegate=self._of.id,
            found=f"its thread on {self._of.address.shown} is busy with a run that is not its own",
            fix="Wait until that run has ended. Nothing was handed over.",
            reason="busy",
        )

    async def _run(
        self, server: Server, along: Mapping[str, Any], questions: list[Any] | None = None, **what: Any
    ) -> Standing:
        metadata = {_OWNER: self._of.id, _STEP: self._step, _ASKED: questions or []}
        try:
            await server.start(self._thread, _forward(), metadata=metadata, **along, **what)
        except TransportError as error:
            if error.reason != "busy":
                raise
            # Another incarnation of this caller was faster: its run is found, and joined.
            return await self._standing(server, _forward())
        return await self._standing(server, _nobody)  # what it streamed has been forwarded

    def _sent_along(self, call: Call) -> dict[str, Any]:
        of = self._of
        config: dict[str, Any] = {} if of.recursion_limit is None else {"recursion_limit": of.recursion_limit}
        around = configurable()
        passed = {key: around[key] for key in of.config_keys if key in around}
        context = {key: _value(call.context, key) for key in of.context_keys}
        if passed:
            config["configurable"] = to_jsonable_python(passed)
        return {"config": config} | ({"context": to_jsonable_python(context)} if context else {})

    def _ask(self, question: Any) -> Any:
        if not configurable().get("checkpoint_ns"):
            raise self._refused(INTERRUPTED)
        return interrupt(question)

    async def _failure(self, server: Server, at: Standing) -> SubagentError:
        status = at.runs[-1]["status"]
        if status == "interrupted":
            return self._refused(_CANCELLED)
        known = await server.error(self._thread)
        if known.get("error") == ParentCommand.__name__:
            return self._refused(_STEERED)
        told = [task["error"] for task in at.state.get("tasks", ()) if task.get("error")]
        cause = RemoteFailureError(kind=known.get("error", status), text="\n".join(told) or known.get("message", ""))
        error = SubagentError(
            delegate=self._of.id,
            found=f"{self._of.name} raised {cause.kind} on its server",
            fix="Mend the subagent, or what it calls; its own words are above. Nothing was handed over.",
            original=cause,
        )
        error.__cause__ = cause
        return error

    def _refused(self, why: Why) -> SubagentError:
        return without_an_end(self._of.id, self._of.name, why)


_CANCELLED = ("was cancelled on its server, by nobody here", "Call it again to have it go on where it was.")
_STEERED = (
    "steered its caller by Command(graph=PARENT)",
    "A caller on another server cannot be steered: end the subagent by what it returns.",
)


def _value(context: Any, key: str) -> Any:
    return cast("Mapping[str, Any]", context)[key] if isinstance(context, Mapping) else getattr(context, key)


def parsed(values: Any) -> Any:
    """Make the messages objects again, so that what reads the end reads the same of a local and a remote graph."""
    given = cast("Mapping[str, Any]", values)
    if not isinstance(values, Mapping) or MESSAGES not in given:
        return given
    return {**given, MESSAGES: messages_from_dict([{"type": one["type"], "data": one} for one in given[MESSAGES]])}


def _forward() -> Any:
    try:
        runtime = get_runtime()
    except RuntimeError:
        return _nobody
    return getattr(runtime, "stream_writer", _nobody)  # where no graph runs, the runtime is None, whatever is declared


def _nobody(_: Any) -> None:
    """Take what nobody listens to."""
