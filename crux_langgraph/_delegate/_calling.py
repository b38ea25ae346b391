"""One call of a delegate: run its subagent, hand over what it returned, and have a bad return repaired in bounds."""

from asyncio import CancelledError
from time import perf_counter
from typing import Any, NamedTuple

from pydantic import BaseModel

from crux_langgraph._delegate._failing import raise_as_failure
from crux_langgraph._delegate._limits import within
from crux_langgraph._delegate._nesting import nested
from crux_langgraph._delegate._recording import Recorder
from crux_langgraph._delegate._result import DelegateResult
from crux_langgraph._delegate._subagent import Call, RepairRequest, Returned, Run, Subagent
from crux_langgraph._handoff import Handoff
from crux_langgraph._payload import Payload
from crux_langgraph._waiting import Way
from crux_langgraph.errors import DeliveryError, HandoffError, InputError, ReturnError


class Delivered(NamedTuple):
    """A payload that was handed over, with the repairs that it took and the subagent's own seconds."""

    payload: Payload[Any]
    returned: object
    repairs: int
    subagent_duration_s: float


class Calling(NamedTuple):
    """What calls one delegate's subagent: layer by layer, each failure as the error of its layer."""

    id: str
    subagent: Subagent
    handoff: Handoff[Any, Any]
    max_repairs: int
    timeout_s: float | None
    max_depth: int | None
    recorder: Recorder

    async def __call__(self, way: Way, arguments: BaseModel, context: Any, runtime: Any) -> DelegateResult[Any]:
        """Check the context, and run the subagent with it and with checked arguments, within the delegate's limits."""
        async with self.recorder.call(way, arguments) as ended:
            result = await self._called(way, arguments, context, runtime)
            ended(result)
            return result

    async def _called(self, way: Way, arguments: BaseModel, context: Any, runtime: Any) -> DelegateResult[Any]:
        started = perf_counter()
        with nested(self.id, self.max_depth) as running:
            call = Call(arguments, self.subagent.context.checked(self.id, context), runtime)
            delivered = await within(self.id, self.timeout_s, self._deliver(way, call))
        return DelegateResult(
            delegate_id=self.id,
            payload=delivered.payload,
            duration_s=perf_counter() - started,
            subagent_duration_s=delivered.subagent_duration_s,
            repairs=delivered.repairs,
            usage=dict(running.usage_metadata),
        )

    async def _deliver(self, way: Way, call: Call) -> Delivered:
        """Run the subagent until its return is valid or the repairs are used up, and hand it over."""
        run = self.subagent.begin()
        spent = 0.0
        while True:
            started = perf_counter()
            returned = await self._run(way, run, call)
            spent += perf_counter() - started
            try:
                payload = await self.handoff.flow(way, returned.value, mode="await")
            except InputError as error:
                call = self._repaired(call, error, returned)
            except HandoffError as error:
                raise self.undelivered(error, returned.whole) from error
            else:
                return Delivered(payload, returned, _repairs(call), spent)

    async def _run(self, way: Way, run: Run, call: Call) -> Returned:
        try:
            return await self.recorder.run(way, run, call)
        except (Exception, CancelledError) as error:  # noqa: BLE001 - what passes through is told apart there
            raise_as_failure(self.id, self.subagent.name, self.handoff.private_fields, error)

    def _repaired(self, call: Call, error: InputError, returned: Returned) -> Call:
        """Give the call that asks for a repair, or raise `ReturnError` when none is left or none would help."""
        done = _repairs(call)
        stuck = call.repair is not None and _same(call.repair.returned, returned.value)
        expected = self.handoff.input_schema.__name__
        if done < self.max_repairs and not stuck:
            return call._replace(repair=RepairRequest(done + 1, expected, error.problems, returned.value))
        after = f" after {done} repair{'s' if done > 1 else ''}" if done else ""
        raise ReturnError(
            delegate=self.id,
            found=f"what {self.subagent.name} returned{after} is not a valid {expected}",
            fix=_advice(returned.value, stuck=stuck),
            problems=error.problems,
            original=error.original,
            returned=returned.whole,
            repairs=done,
        ) from None

    def undelivered(self, error: HandoffError, returned: object) -> DeliveryError:
        """Give the error of a return that was valid and could not be handed over."""
        return DeliveryError(
            delegate=self.id,
            found=f"handoff {error.handoff!r} failed at its layer {error.layer!r}",
            fix="Mend the handoff, whose own error is above; what the subagent returned is on `.returned`.",
            problems=error.problems,
            original=error,
            returned=returned,
        )


def _repairs(call: Call) -> int:
    return 0 if call.repair is None else call.repair.attempt


def _same(one: object, other: object) -> bool:
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001 - an equality of the user's own that raises says nothing
        return False


def _advice(returned: object, *, stuck: bool) -> str:
    advice = "Have the subagent return what the handoff takes; what it returned is on `.returned`."
    if returned is None:
        advice = "Have the function return it, or give the graph a response_format, or from_graph output='text'."
    return f"It gave the same again, so it was not asked once more. {advice}" if stuck else advice
