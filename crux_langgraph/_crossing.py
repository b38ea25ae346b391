"""The steps of one crossing and the typed error of each: input, transform, output, hook, and reading an envelope back."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar

from langgraph.errors import GraphBubbleUp, is_invalid_resume
from langgraph.runtime import get_runtime
from pydantic import BaseModel, ValidationError

from crux_langgraph._contract import Contract, ViolationError, telling
from crux_langgraph._payload import Envelope
from crux_langgraph._signature import Signature, name_of
from crux_langgraph._waiting import Way
from crux_langgraph.errors import (
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


Upgrades = Mapping[int, Callable[[dict[str, Any]], Any]]


def read_envelope(
    handoff: str, version: int, envelope: Mapping[str, Any], upgrades: Upgrades = MappingProxyType({})
) -> Envelope:
    """Read the outside of a recorded payload, or raise `EnvelopeError` saying which way it is not one of this handoff.

    The data of an older version is brought forward by the upgrades, one after the other.
    """
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
    if record.version > version:
        raise EnvelopeError(
            handoff=handoff,
            found=f"the envelope is of version {record.version}, and this handoff is version {version}",
            fix="Read it with the program that wrote it, or upgrade this one.",
            reason="too_new",
        )
    while record.version < version:
        record.data = _upgraded(handoff, version, record, upgrades)
        record.version += 1
    return record


def _upgraded(handoff: str, version: int, record: Envelope, upgrades: Upgrades) -> Any:
    upgrade = upgrades.get(record.version)
    if upgrade is None:
        raise EnvelopeError(
            handoff=handoff,
            found=f"the envelope is of version {record.version}, and this handoff is version {version}",
            fix=f"Write the function that brings its data forward: @upgrade({record.version}). Or have it sent again.",
            reason="other_version",
        )
    try:
        return upgrade(deepcopy(record.data))  # it may be part of a graph's state
    except Exception as error:
        raise EnvelopeError(
            handoff=handoff,
            found=f"its upgrade function {name_of(upgrade)}() raised {type(error).__name__}",
            fix="Mend the function; its own error is chained to this one.",
            reason="invalid",
            original=error,
        ) from error


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
