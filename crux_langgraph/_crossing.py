"""The steps of one crossing and the typed error of each: input, transform, output, hook, and reading an envelope back."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar, cast

from langgraph.errors import GraphBubbleUp, is_invalid_resume
from langgraph.runtime import get_runtime
from pydantic import BaseModel, ValidationError

from crux_langgraph._contract import Contract, ViolationError, telling
from crux_langgraph._payload import Envelope, Payload
from crux_langgraph._signature import Signature, name_of
from crux_langgraph._waiting import Way
from crux_langgraph.errors import (
    BudgetError,
    EnvelopeError,
    HandoffError,
    InputError,
    OutputError,
    TransformError,
    WrongWayError,
)

M = TypeVar("M", bound=BaseModel)

_PASSES_THROUGH = (GraphBubbleUp, WrongWayError)


def check_input(handoff: str, contract: Contract[M], value: object) -> M:
    """Give what agent A produced as a valid input, or raise `InputError`."""
    try:
        return contract.check(value)
    except ViolationError as violation:
        expected = contract.model.__name__
        raise InputError(
            handoff=handoff,
            found=f"what was given is not a valid {expected}",
            fix=f"Give an instance of {expected}, a mapping of its fields or JSON text. Nothing was handed over.",
            problems=violation.problems,
            original=violation.original,
        ) from None


def check_output(handoff: str, contract: Contract[M], returned: object, function: str) -> M:
    """Give what the transform returned as a valid output, or raise `OutputError`."""
    try:
        return contract.check(returned)
    except ViolationError as violation:
        expected = contract.model.__name__
        raise OutputError(
            handoff=handoff,
            found=f"{function}() did not return a valid {expected}",
            fix=f"Return an instance of {expected} from it. Nothing was handed over.",
            problems=violation.problems,
            original=violation.original,
        ) from None


async def transform(
    way: Way,
    handoff: str,
    function: Callable[..., Any],
    signature: Signature,
    value: BaseModel,
    private: frozenset[str],
) -> Any:
    """Call the user's function; whatever it raises becomes `TransformError`, but control flow passes through."""
    options = {"runtime": _current_runtime()} if signature.wants_runtime else {}
    try:
        return await way.call(function, value, **options)
    except _PASSES_THROUGH:
        raise
    except ValidationError as error:
        if is_invalid_resume(error):
            raise
        _raise_invalid_inside(handoff, signature.name, error, private)
    except Exception as error:
        raise TransformError(
            handoff=handoff,
            found=f"{signature.name}() raised {type(error).__name__}",
            fix="Mend the function, or what it calls; its own error is chained to this one. Nothing was handed over.",
            original=error,
        ) from error


def _raise_invalid_inside(handoff: str, function: str, error: ValidationError, private: frozenset[str]) -> NoReturn:
    raise TransformError(
        handoff=handoff,
        found=f"{function}() built a {error.title} that is not valid",
        fix="Give each field of the model what it declares. Nothing was handed over.",
        problems=telling.problems_of(error, private, own_words=False),
        original=error,
    ) from None


def _current_runtime() -> Any:
    try:
        return get_runtime()
    except RuntimeError:
        return None


async def call_user(
    way: Way, handoff: str, layer: type[HandoffError], role: str, function: Callable[..., Any], *arguments: Any
) -> Any:
    """Call a function that the user gave for `role`; whatever it raises becomes `layer`, but control flow passes."""
    try:
        return await way.call(function, *arguments)
    except _PASSES_THROUGH:
        raise
    except Exception as error:
        if is_invalid_resume(error):
            raise
        raise layer(
            handoff=handoff,
            found=f"its {role} function {name_of(function)}() raised {type(error).__name__}",
            fix="Mend the function; its own error is chained to this one. Nothing was handed over.",
            original=error,
        ) from error


def count_context(handoff: str, payload: Payload[Any], max_tokens: int) -> int:
    """Count the context by the handoff's counter, or raise `BudgetError` when that gives no number of tokens."""
    original, found = None, ""
    try:
        count = cast("object", payload.receipt.context_tokens)
        if isinstance(count, int) and not isinstance(count, bool) and count > 0:
            return count
        found = f"its counter answered {count if isinstance(count, int) else type(count).__name__} for a context"
    except HandoffError:
        raise
    except Exception as error:  # noqa: BLE001 - a user's counter may raise anything
        original, found = error, f"its counter raised {type(error).__name__}"
    raise BudgetError(
        handoff=handoff,
        found=found,
        fix="Give counter= a function that counts the tokens of any text. Nothing was handed over.",
        max_tokens=max_tokens,
        needed_tokens=None,
        original=original,
    ) from original


def read_envelope(handoff: str, version: int, envelope: Mapping[str, Any]) -> Envelope:
    """Read the outside of a recorded payload, or raise `EnvelopeError` saying which way it is not one of this handoff."""
    try:
        record = Envelope.model_validate(envelope)
    except ValidationError as error:
        raise EnvelopeError(
            handoff=handoff,
            found="what was recorded is not the envelope of a payload",
            fix="Pass what payload.to_envelope() gave, unchanged.",
            reason="corrupt",
            problems=telling.problems_of(error, frozenset({"data"})),
            original=error,
        ) from None
    if record.handoff != handoff:
        raise EnvelopeError(
            handoff=handoff,
            found=f"the envelope is of handoff {record.handoff!r}",
            fix="Read it with the handoff that made it.",
            reason="other_handoff",
        )
    if record.version != version:
        raise EnvelopeError(
            handoff=handoff,
            found=f"the envelope is of version {record.version}, and this handoff is version {version}",
            fix="Hand it over again with the current version.",
            reason="other_version",
        )
    return record


def load_data(handoff: str, contract: Contract[M], dumped: object) -> M:
    """Give recorded data as a valid output of today's model, or raise `EnvelopeError`."""
    try:
        return contract.load(dumped)
    except ViolationError as violation:
        raise EnvelopeError(
            handoff=handoff,
            found=f"the recorded data is no longer a valid {contract.model.__name__}",
            fix="Hand it over again, or give the model defaults for what it has gained since.",
            reason="invalid",
            problems=violation.problems,
            original=violation.original,
        ) from None
