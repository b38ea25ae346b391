"""Every error this package raises: facts as attributes, the sentence in `str(error)`.

    CruxError
    ├── DefinitionError          a decorator was used wrongly, at decoration; or a function, such as `fit`
    ├── WiringError              a graph is wired wrongly; raised when it is built
    ├── WrongWayError            something asynchronous was called synchronously
    ├── DoesNotFitError          `fit`: what must be shown is more than `max_tokens`
    ├── ContextsError            several contexts do not fit into one budget
    ├── HandoffError             one handoff failed, at the layer it names
    │   ├── InputError           `input`: what agent A produced does not fit
    │   │   └── RepairError      `input`: nor after agent A was sent back
    │   ├── TransformError       `transform`: the user's function raised
    │   ├── OutputError          `output`: what the transform returned does not fit
    │   ├── BudgetError          `budget`: the context does not fit into `max_tokens`
    │   ├── HookError            `on_prepare`: the user's hook raised
    │   ├── LoopError            `path`: the same payload goes round
    │   │   └── HopLimitError    `path`: more hops than `max_hops`
    │   ├── EnvelopeError        `envelope`: a recorded payload cannot be read back
    │   ├── UnroutedError        `route`: a model asked for it where nobody routes it
    │   ├── NotReceivedError     `state`: nothing was handed over
    │   ├── StoreError           `store`: the store failed
    │   │   ├── NoStoreError     there is no store, or none where anything would be safe
    │   │   └── ClaimNotSupportedError  the store has no claims
    │   ├── ScopeError           `scope`: it was not said whose handoffs are meant
    │   ├── LeaseLostError       `claim`: another consumer has the record, or may have it
    │   └── ReadError            `read`: a place of a payload cannot be read
    └── DelegateError            one call of a delegate failed, at the layer it names
        ├── ArgumentsError       `arguments`: the calling model's arguments do not fit; it can repair them
        ├── ContextError         `context`: the run's context did not come, or is of another type
        ├── SubagentError        `subagent`: the subagent itself raised
        │   ├── TransportError   `transport`: the server of a remote subagent could not be used
        │   └── SchemaMismatchError  `schema`: what that server publishes of it does not fit
        ├── ReturnError          `return`: what the subagent returned does not fit
        ├── DeliveryError        `output`: the handoff of what the subagent returned failed
        ├── TimeLimitError       `limit`: the call took longer than `timeout_s`
        ├── DepthLimitError      `limit`: more delegates are nested than `max_depth`
        └── ResultError          `result`: a tool message does not hold a result of the delegate

All of them descend from `Exception` and not from `ValueError`, so LangGraph's retry policies see them;
`RetryPolicy(retry_on=is_retryable)` retries those that can come out differently the next time.
No message holds a value of the payload: fields are named by path, values by type.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import ValidationError

__all__ = [
    "ArgumentsError",
    "BudgetError",
    "ClaimNotSupportedError",
    "ContextError",
    "ContextsError",
    "CruxError",
    "DefinitionError",
    "DelegateError",
    "DeliveryError",
    "DepthLimitError",
    "DoesNotFitError",
    "EnvelopeError",
    "FieldProblem",
    "Finding",
    "HandoffError",
    "HookError",
    "HopLimitError",
    "InputError",
    "LeaseLostError",
    "LoopError",
    "NoStoreError",
    "NotReceivedError",
    "OutputError",
    "ReadError",
    "RemoteFailureError",
    "RepairError",
    "ResultError",
    "ReturnError",
    "SchemaMismatchError",
    "ScopeError",
    "StoreError",
    "SubagentError",
    "TimeLimitError",
    "TransformError",
    "TransportError",
    "UnroutedError",
    "WiringError",
    "WrongWayError",
    "is_retryable",
]


_MOST_LINES = 20


class FieldProblem(NamedTuple):
    """One field that does not fit. `found` names a type, never a value.

    `path` is dotted (`sources[0].url`); it is `(root)` for the payload itself and ends at a private field.
    """

    path: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.path}: expected {self.expected}, found {self.found}"


class Finding(NamedTuple):
    """One thing that is wrong with a graph: what was found and what to do, with a stable `code` and the node.

    An `error` is refused when the graph is built; a `warning` is told by `check` alone.
    """

    code: str
    node: str
    message: str
    level: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"[{self.code}] {self.node}: {self.message}"


def _rebuild(cls: type["CruxError"], facts: dict[str, Any], text: str) -> "CruxError":
    error = cls.__new__(cls, text)
    error.__dict__.update(facts)
    error.args = (text,)
    return error


class CruxError(Exception):
    """The root: catch it to catch everything that this package raises itself."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Constructors take facts by keyword, which the default pickling of exceptions cannot call. The original and
        # what a subagent returned stay behind: they may not survive pickling, and they may hold private values.
        facts = {name: fact for name, fact in self.__dict__.items() if name not in ("original", "returned")}
        return _rebuild, (type(self), facts, str(self))


class DefinitionError(CruxError):
    """A handoff or a delegate is defined wrongly, or a function such as `fit` was given what cannot be meant.

    `handoff` is its id or function name, `fix` what to write instead.
    """

    layer: ClassVar[str] = "definition"

    def __init__(
        self, *, handoff: str, found: str, fix: str, problems: Sequence[FieldProblem] = (), kind: str = "handoff"
    ) -> None:
        self.handoff = handoff
        self.found = found
        self.fix = fix
        self.problems: tuple[FieldProblem, ...] = tuple(problems)
        super().__init__(_sentence(f"{kind} {handoff!r} (layer: {self.layer}): {found}", self.problems, fix))


class WiringError(CruxError):
    """A graph is wired wrongly. `findings` holds everything that was found, each with what to do."""

    def __init__(self, *, findings: Sequence[Finding]) -> None:
        self.findings: tuple[Finding, ...] = tuple(findings)
        super().__init__("\n".join(map(str, self.findings)))


class WrongWayError(CruxError):
    """A coroutine function was reached on the synchronous way. `use` names what to call instead."""

    def __init__(self, *, asked: str, use: str) -> None:
        self.asked = asked
        self.use = use
        super().__init__(f"{asked} is asynchronous and was reached by a synchronous call. Use {use}.")


class DoesNotFitError(CruxError):
    """A value cannot be fitted: what must be shown takes `needed_tokens`, and only `max_tokens` are allowed.

    `pins` holds the path of every pinned field with its tokens; it is empty when the frame alone is too large. In a
    handoff it becomes a `BudgetError`.
    """

    fix: ClassVar[str] = "Raise max_tokens, or pin less."

    def __init__(self, *, needed_tokens: int, max_tokens: int, pins: Sequence[tuple[str, int]]) -> None:
        self.needed_tokens = needed_tokens
        self.max_tokens = max_tokens
        self.pins: tuple[tuple[str, int], ...] = tuple(pins)
        named = ", ".join(f"{path or '(root)'} ({tokens} tokens)" for path, tokens in self.pins)
        what = f"the pinned fields {named}" if pins else "the frame around the text"
        self.found: str = f"{what} must be shown, which takes {needed_tokens} tokens of {max_tokens}"
        super().__init__(f"{self.found}\n{self.fix}")


class ContextsError(CruxError):
    """Several contexts need `needed_tokens` at their least and may have `max_tokens` together, by one counter."""

    def __init__(self, *, contexts: Sequence[str], max_tokens: int, needed_tokens: int) -> None:
        self.contexts: tuple[str, ...] = tuple(contexts)
        self.max_tokens = max_tokens
        self.needed_tokens = needed_tokens
        super().__init__(
            f"contexts {', '.join(map(repr, self.contexts))}: together they take {needed_tokens} tokens at their least "
            f"and may take {max_tokens}\nRaise max_tokens, or compose fewer of them."
        )


class HandoffError(CruxError):
    """One handoff failed. `handoff` is its id, `layer` where, `problems` the fields, `original` the cause if any.

    A pickled copy is without its `original`.
    """

    layer: ClassVar[str] = "handoff"
    original: BaseException | None = None

    def __init__(
        self,
        *,
        handoff: str,
        found: str,
        fix: str,
        problems: Sequence[FieldProblem] = (),
        original: BaseException | None = None,
    ) -> None:
        self.handoff = handoff
        self.found = found
        self.fix = fix
        self.problems: tuple[FieldProblem, ...] = tuple(problems)
        self.original = original
        super().__init__(_sentence(f"handoff {handoff!r} (layer: {self.layer}): {found}", self.problems, fix))


class InputError(HandoffError):
    """What was to be handed over is not a valid input of the handoff."""

    layer = "input"


class RepairError(InputError):
    """The producing agent was sent back `attempts` times, and what it produced still does not fit.

    `repeated` says that it produced the same again, so that it was not asked once more.
    """

    def __init__(self, *, attempts: int, repeated: bool, **facts: Any) -> None:
        super().__init__(**facts)
        self.attempts = attempts
        self.repeated = repeated


class TransformError(HandoffError):
    """The handoff's function raised. A validation error inside it is on `original`, anything else is chained."""

    layer = "transform"


class OutputError(HandoffError):
    """The handoff's function returned what its return annotation does not allow."""

    layer = "output"


class BudgetError(HandoffError):
    """What must be shown needs `needed_tokens` and may have `max_tokens`, both by the handoff's own counter.

    `pins` holds the path and the tokens of each pinned field, where it is these that do not fit.
    `needed_tokens` is None when the counter raised or answered no number of tokens.
    """

    layer = "budget"

    def __init__(
        self,
        *,
        handoff: str,
        found: str,
        fix: str,
        max_tokens: int,
        needed_tokens: int | None,
        pins: tuple[tuple[str, int], ...] = (),
        original: BaseException | None = None,
    ) -> None:
        super().__init__(handoff=handoff, found=found, fix=fix, original=original)
        self.max_tokens = max_tokens
        self.needed_tokens = needed_tokens
        self.pins = pins


class HookError(HandoffError):
    """The `on_prepare` hook raised; its error is chained."""

    layer = "on_prepare"


class EnvelopeError(HandoffError):
    """A recorded payload cannot be read back.

    `reason` is `corrupt` (not an envelope, or changed since it was written), `other_handoff`, `other_version` (no
    upgrade leads from it), `too_new` (written by a later version), `invalid` (no longer fits the model), `expired`, or
    `missing` (it is no longer in the store). `record_id` is its id in a store, None elsewhere.
    """

    layer = "envelope"

    def __init__(
        self,
        *,
        handoff: str,
        found: str,
        fix: str,
        reason: Literal["corrupt", "other_handoff", "other_version", "too_new", "invalid", "expired", "missing"],
        problems: Sequence[FieldProblem] = (),
        original: BaseException | None = None,
        record_id: int | None = None,
    ) -> None:
        super().__init__(handoff=handoff, found=found, fix=fix, problems=problems, original=original)
        self.reason = reason
        self.record_id = record_id


class NotReceivedError(HandoffError):
    """The state holds no payload of this handoff."""

    layer = "state"


class StoreError(HandoffError):
    """The store of the handoff failed; the database's own error is chained."""

    layer = "store"


class NoStoreError(StoreError):
    """There is no store, or none where anything would be safe."""


class ClaimNotSupportedError(StoreError):
    """The store has nothing that could let one consumer at a time have a record."""


class ScopeError(HandoffError):
    """It was not said, and cannot be told, whose handoffs are meant."""

    layer = "scope"


class LeaseLostError(HandoffError):
    """The lease of record `record_id` ended before the work on it: it is not acknowledged, and will be done again."""

    layer = "claim"

    def __init__(self, *, record_id: int, **facts: Any) -> None:
        super().__init__(**facts)
        self.record_id = record_id


class LoopError(HandoffError):
    """The same payload goes round without change. `path` holds the ids of the handoffs since the user last spoke."""

    layer = "path"

    def __init__(self, *, path: tuple[str, ...], **facts: Any) -> None:
        super().__init__(**facts)
        self.path = path


class HopLimitError(LoopError):
    """The payload would take more than `max_hops` hops since the user last spoke."""

    def __init__(self, *, max_hops: int, **facts: Any) -> None:
        super().__init__(**facts)
        self.max_hops = max_hops


class UnroutedError(HandoffError):
    """A model asked for the handoff, and no `add_handoffs` leads it on from there."""

    layer = "route"


class ReadError(HandoffError):
    """A place of a payload cannot be read: `reason` is `private`, `unknown` (nothing is there) or `range`."""

    layer = "read"

    def __init__(self, *, handoff: str, found: str, fix: str, reason: Literal["private", "unknown", "range"]) -> None:
        super().__init__(handoff=handoff, found=found, fix=fix)
        self.reason = reason


class DelegateError(CruxError):
    """One call of a delegate failed. `delegate` is its id, `layer` where, `problems` the fields, `original` the cause.

    `returned` is what the subagent gave last, as it gave it (a graph: its final state), or None: work that can be
    saved. A pickled copy is without `original` and `returned`.
    """

    layer: ClassVar[str] = "delegate"
    model_fix: ClassVar[str | None] = None
    original: BaseException | None = None
    returned: object = None

    def __init__(
        self,
        *,
        delegate: str,
        found: str,
        fix: str,
        problems: Sequence[FieldProblem] = (),
        original: BaseException | None = None,
        returned: object = None,
    ) -> None:
        self.delegate = delegate
        self.found = found
        self.fix = fix
        self.problems: tuple[FieldProblem, ...] = tuple(problems)
        self.original = original
        self.returned = returned
        super().__init__(self._told(fix))

    @property
    def told(self) -> str:
        """The error for a calling model: what the model can do, in place of what the program's author can."""
        return self._told(self.model_fix or self.fix)

    def _told(self, fix: str) -> str:
        return _sentence(f"delegate {self.delegate!r} (layer: {self.layer}): {self.found}", self.problems, fix)


class ArgumentsError(DelegateError):
    """The arguments are not what the delegate declares. A calling model is told, and can call again."""

    layer = "arguments"


class ContextError(DelegateError):
    """The run's context did not reach the delegate, or is of another type: the caller's program is to be mended."""

    layer = "context"


class SubagentError(DelegateError):
    """The subagent raised. A validation error inside it is on `original`, anything else is chained."""

    layer = "subagent"
    model_fix: ClassVar[str | None] = "It gave no result. Call it again if the failure may pass, or go on without it."


class RemoteFailureError(Exception):
    """What a remote subagent raised there, as the cause of the `SubagentError` here: its class and its own words."""

    def __init__(self, *, kind: str, text: str) -> None:
        self.kind = kind
        super().__init__(text)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), kind=self.kind, text=str(self)), ()


class TransportError(SubagentError):
    """The server of a remote subagent could not be used: no word of the subagent itself.

    `reason` is `away` (no answer), `refused` (not authenticated or not allowed), `unknown_assistant`, `busy` (its thread
    has another's run) or `failed` (any other answer that is an error). `status` is that of HTTP, if there was an answer.
    """

    layer = "transport"

    def __init__(
        self,
        *,
        reason: Literal["away", "refused", "unknown_assistant", "busy", "failed"],
        status: int | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(**facts)
        self.reason = reason
        self.status = status


class SchemaMismatchError(SubagentError):
    """What a server publishes of a remote subagent does not fit what its delegate sends and takes: see `problems`."""

    layer = "schema"


class ReturnError(DelegateError):
    """What the subagent returned is not a valid input of the handoff, also after `repairs` repairs."""

    layer = "return"
    model_fix: ClassVar[str | None] = (
        "It gave no result that can be used. Ask it for something simpler, or go on without it."
    )

    def __init__(self, *, repairs: int, **facts: Any) -> None:
        super().__init__(**facts)
        self.repairs = repairs


class DeliveryError(DelegateError):
    """What the subagent returned is valid and its handoff failed: `original`, chained, is the `HandoffError`."""

    layer = "output"


class TimeLimitError(DelegateError):
    """The call took longer than `timeout_s`."""

    layer = "limit"

    def __init__(self, *, timeout_s: float, **facts: Any) -> None:
        super().__init__(**facts)
        self.timeout_s = timeout_s


class DepthLimitError(DelegateError):
    """The call would be the `depth`th delegate in a nest of at most `max_depth`."""

    layer = "limit"

    def __init__(self, *, depth: int, max_depth: int, **facts: Any) -> None:
        super().__init__(**facts)
        self.depth = depth
        self.max_depth = max_depth


class ResultError(DelegateError):
    """A tool message does not hold a result of the delegate."""

    layer = "result"


def is_retryable(error: BaseException) -> bool:
    """Say whether running the same handoff again may end differently, for `RetryPolicy(retry_on=is_retryable)`.

    True for errors of the user's own functions (`TransformError`, `HookError`, `SubagentError`) that are not validation
    errors, for a `TimeLimitError`, for a store that failed, for a `TransportError` that may pass, and for exceptions
    that are not ours. False for everything that depends on the payload, the definition or the wiring alone, and for a
    `ReturnError`: its repairs were tried.
    """
    if isinstance(error, TimeLimitError):
        return True
    if isinstance(error, TransportError):
        return error.reason in ("away", "busy", "failed")
    if isinstance(error, RemoteFailureError):
        return error.kind != ValidationError.__name__
    if isinstance(error, TransformError | HookError | SubagentError | DeliveryError | StoreError):
        return error.__cause__ is not None and is_retryable(error.__cause__)
    return isinstance(error, Exception) and not isinstance(error, CruxError | ValidationError)


def _sentence(headline: str, problems: Sequence[FieldProblem], fix: str) -> str:
    lines = [f"  {problem}" for problem in problems[:_MOST_LINES]]
    if len(problems) > _MOST_LINES:
        lines.append(f"  and {len(problems) - _MOST_LINES} more (all of them on .problems)")
    return "\n".join([headline, *lines, fix])
