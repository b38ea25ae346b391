"""Handoff: the steps of one crossing, in order, written once for sync and async."""

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Generic, cast, get_args
from uuid import uuid4

from langchain_core import tools
from pydantic import BaseModel
from typing_extensions import TypeVar, Unpack

from crux_langgraph._context import DEFAULT_PRIORITY, Context
from crux_langgraph._contract import Contract
from crux_langgraph._crossing import (
    call_user,
    check_input,
    check_output,
    load_data,
    read_envelope,
    transform,
)
from crux_langgraph._defining import (
    checked_agent,
    checked_counter,
    checked_hook,
    checked_id,
    checked_max_tokens,
    checked_store,
    checked_summarize,
    checked_version,
    contract_for,
    id_from,
)
from crux_langgraph._handoff._budget import require_fit
from crux_langgraph._handoff._options import HandoffOptions, OnPrepare, SharedOptions, checked_options
from crux_langgraph._inbox import Inbox
from crux_langgraph._payload import Payload, records_in
from crux_langgraph._receipt import Receipt
from crux_langgraph._rendering import Rendering
from crux_langgraph._signature import Signature
from crux_langgraph._summarizing import Summarize
from crux_langgraph._texts import Texts, written
from crux_langgraph._waiting import AWAITING, BLOCKING, Way, finish
from crux_langgraph.compression import Counter, new_marker
from crux_langgraph.errors import HookError, InputError, NotReceivedError
from crux_langgraph.instrumentation import PREPARE, Mode, Prepared, Recording, identity

In = TypeVar("In", bound=BaseModel)
Out = TypeVar("Out", bound=BaseModel)
Ret = TypeVar("Ret", default=Any)
Model = TypeVar("Model", bound=BaseModel)


class Handoff(Inbox[In, Out], Generic[In, Out, Ret]):
    """A checked crossing from one agent to the next: `In` is what A produces, `Out` what B expects.

    Made by `@handoff` or `Handoff.of`. It can be called as the plain function it wraps, and then checks nothing.
    `Ret` is what that plain call returns: `Out`, or a coroutine of it.
    """

    __name__: str
    __wrapped__: Callable[..., Any]

    def __init__(
        self,
        transform: Callable[..., Any],
        signature: Signature,
        **options: Unpack[HandoffOptions],
    ) -> None:
        """Check the definition. Use `@handoff` or `Handoff.of`, which document the options and what they raise."""
        functools.update_wrapper(self, transform, updated=())
        name = self.__name__ = signature.name
        given = checked_options(name, options)
        super().__init__(checked_store(name, given.store))
        self._signature = signature
        self._input: Contract[In] = contract_for(name, "input", signature.input_type)
        self._output: Contract[Out] = contract_for(name, "output", signature.output_type)
        self._on_prepare: OnPrepare | None = checked_hook(name, given.on_prepare)
        self.id: str = checked_id(name, given.id) if given.id is not None else id_from(name)
        self.from_agent: str | None = checked_agent(name, "from_agent", given.from_agent)
        self.to_agent: str | None = checked_agent(name, "to_agent", given.to_agent)
        self.counter: Counter = checked_counter(name, given.counter)
        self.max_tokens: int | None = checked_max_tokens(
            name, given.max_tokens, handoff_id=self.id, from_agent=self.from_agent, counter=given.counter
        )
        self._identity = {mode: identity(self.id, self.from_agent, self.to_agent, mode) for mode in get_args(Mode)}
        self.summarize: Summarize | None = checked_summarize(name, given.summarize, self.max_tokens)
        self._passes_on = transform is _identity
        self._is_alone = self._passes_on and self.summarize is None and self._on_prepare is None
        self._rendering = Rendering(self.id, self.max_tokens, given.counter, signature.description)
        self.version: int = checked_version(name, given.version)
        self.description: str = signature.description
        """The docstring: what the receiving agent is to do with the payload."""

    @staticmethod
    def of(
        model: type[Model],
        *,
        id: str,  # noqa: A002 - the name users know an id by
        **options: Unpack[SharedOptions],
    ) -> "Handoff[Model, Model, Model]":
        """Make a handoff that checks and passes on one model as it is. The options are those of `@handoff`."""
        signature = Signature(
            name=str(id),
            description=f"Take over from a {getattr(model, '__name__', 'payload')}.",
            is_async=False,
            input_type=model,
            output_type=model,
            wants_runtime=False,
        )
        return Handoff(_identity, signature, id=id, **options)

    def __call__(self, value: In, /, **runtime: Any) -> Ret:
        """Call the plain function: no checks, no payload."""
        return cast("Ret", self.__wrapped__(value, **runtime))

    def __deepcopy__(self, memo: Any) -> "Handoff[In, Out, Ret]":
        # Nothing in it changes: the deep copy of a builder keeps the very handoff.
        return self

    def __repr__(self) -> str:
        return f"<Handoff {self.id}: {self.input_schema.__name__} -> {self.output_schema.__name__}>"

    @property
    def input_schema(self) -> type[In]:
        """The model of what agent A produces."""
        return self._input.model

    @property
    def output_schema(self) -> type[Out]:
        """The model of what agent B expects."""
        return self._output.model

    @property
    def private_fields(self) -> frozenset[str]:
        """The names of fields that are private on either side: the path of a problem ends there."""
        return self._input.private | self._output.private

    def prepare(self: "Handoff[In, Out, Out]", value: In | Mapping[str, Any] | str) -> Payload[Out]:
        """Check `value`, transform it, check what came out, and make it a payload.

        `value` is an instance, a mapping of its fields, or JSON text (str is always read as JSON). Raises
        `InputError`, `TransformError`, `OutputError`, `BudgetError` or `HookError`, each naming the layer and the
        fields, and `WrongWayError` when the transform or the hook is async: then use `aprepare`.
        Interrupts and other control flow of LangGraph pass through.
        """
        return finish(self.flow(BLOCKING, value))

    async def aprepare(self, value: In | Mapping[str, Any] | str) -> Payload[Out]:
        """As `prepare`. A plain transform runs in LangChain's executor, with the caller's context variables."""
        return await self.flow(AWAITING, value)

    def as_context(self, payload: Payload[Out], priority: int = DEFAULT_PRIORITY) -> Context:
        """Give the payload's text as a `Context` named `handoff:<id>`, with a priority beside other contexts."""
        return Context(id=f"handoff:{self.id}", text=payload.context, priority=priority, refit=payload.context_within)

    def as_tool(
        self, *, name: str | None = None, description: str | None = None, fields: Sequence[str] | None = None
    ) -> "tools.BaseTool":
        """Make it a tool by which a model hands over, named `transfer_to_<to_agent>` and described by the docstring.

        The model fills the input, or those `fields` of it; the others are read from the state that the tool runs in, by
        name or alias. What it gives is checked before anything is queued. The agent needs `HandoffRouting`, and its
        node `add_handoffs`. Raises `DefinitionError` for what no model could call.
        """
        from crux_langgraph._offering import offer

        return offer(self, name=name, description=description, fields=fields)

    def checked_input(self, value: object) -> Any:
        """Give `value` as the JSON values of a valid input, transformed by nothing. Raises `InputError`."""
        return written(InputError, self.id, check_input(self.id, self._input, value), self._input.dump)

    async def flow(
        self,
        way: Way,
        value: object,
        *,
        payload_id: str | None = None,
        mode: Mode = "transfer",
        unheard: bool = False,
    ) -> Payload[Out]:
        """Run the steps of `prepare` on either way, for adapters that bring a payload id of their own.

        `mode` is what the run of it says: `await` where the source waits for what it asked for. `unheard`: the adapter
        knows that nobody listens to that run.
        """
        recording = Recording(way, PREPARE, self._identity[mode], is_alone=self._is_alone, unheard=unheard)
        async with recording as run:
            started = perf_counter()
            given = check_input(self.id, self._input, value)
            checked = perf_counter()
            shown = Prepared(self._input, given, self.max_tokens, passes_on=self._passes_on)
            await run.start(shown.input)
            returned = given if self._passes_on else await self._transformed(way, given)
            transformed = perf_counter()
            data = check_output(self.id, self._output, returned, self._signature.name)
            durations = {
                "input": checked - started,
                "transform": transformed - checked,
                "output": perf_counter() - transformed,
            }
            payload = self._payload(payload_id or f"ho-{uuid4().hex}", given, data, durations)
            if self.summarize is not None:
                from crux_langgraph._shortening import shortened  # most programs ask no model for that

                payload = await shortened(way, self.summarize, payload)
            await require_fit(way, payload, self.max_tokens)
            if self._on_prepare is not None:
                await call_user(way, self.id, HookError, "on_prepare", self._on_prepare, payload)
            run.end(*shown.of(payload))
            return payload

    async def _transformed(self, way: Way, given: In) -> Any:
        return await transform(way, self.id, self.__wrapped__, self._signature, given, self.private_fields)

    def _payload(self, payload_id: str, given: In, data: Out, durations_s: Mapping[str, float]) -> Payload[Out]:
        fence = new_marker()
        texts = Texts(self._output, self._rendering, data, self.from_agent, fence)
        return Payload(
            id=payload_id,
            handoff=self.id,
            version=self.version,
            from_agent=self.from_agent,
            to_agent=self.to_agent,
            created_at=datetime.now(UTC),
            data=data,
            fence=fence,
            texts=texts,
            receipt=Receipt(
                durations_s=durations_s,
                counter=self.counter,
                texts=texts,
                input_text=lambda: written(InputError, self.id, given, self._input.text),
            ),
        )

    def from_envelope(self, envelope: Mapping[str, Any]) -> Payload[Out]:
        """Read back what `payload.to_envelope()` wrote, checked against today's output model.

        Raises `EnvelopeError` whose `reason` tells a corrupt envelope, one of another handoff, one of another
        version of this handoff, and data that no longer fits apart.
        """
        record = read_envelope(self.id, self.version, self.with_data(envelope), self._upgrades)
        data = load_data(self.id, self._output, record.data)
        texts = Texts(self._output, self._rendering, data, record.from_agent, record.fence, record.summary)
        return Payload(
            id=record.id,
            handoff=record.handoff,
            version=record.version,
            from_agent=record.from_agent,
            to_agent=record.to_agent,
            created_at=record.created_at,
            data=data,
            summary=record.summary,
            fence=record.fence,
            texts=texts,
            receipt=Receipt(
                durations_s=record.receipt.durations_s,
                counter=self.counter,
                texts=texts,
                measured=record.receipt.measured,
                model=record.receipt.model,
            ),
        )

    def received(self, state: object) -> Payload[Out]:
        """Give the newest payload of this handoff in `state` (a mapping or an object), checked.

        Raises `NotReceivedError` when there is none and `EnvelopeError` when it cannot be read. One that the state
        only refers to is read from the store: on the async way use `areceived`.
        """
        records = self._records(state)
        if not records:
            raise NotReceivedError(
                handoff=self.id,
                found="the state holds no payload of it",
                fix="Reach this node through add_handoff, and mix HandoffState into the state that this node reads.",
            )
        return self.from_envelope(max(reversed(records), key=lambda record: str(record.get("created_at"))))

    async def areceived(self, state: object) -> Payload[Out]:
        """As `received`."""
        payload: Payload[Out] = await AWAITING.call(self.received, state)
        return payload

    async def areceived_all(self, state: object) -> list[Payload[Out]]:
        """As `received_all`."""
        payloads: list[Payload[Out]] = await AWAITING.call(self.received_all, state)
        return payloads

    def received_all(self, state: object) -> list[Payload[Out]]:
        """Give all payloads of this handoff's latest round, for a node that several branches lead into.

        In the order in which they were handed over; empty when there are none. Raises as `received`.
        """
        return [self.from_envelope(record) for record in self._records(state)]

    def _records(self, state: object) -> list[Mapping[str, Any]]:
        return [record for record in records_in(state) if record.get("handoff") == self.id]


def _identity(value: Any, /) -> Any:
    return value
