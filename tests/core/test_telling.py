"""Errors: one tree, facts as attributes, a sentence with what to do, and copies that can travel."""

import copy
import pickle
import threading
from typing import Any

import pytest
from pydantic import BaseModel, field_serializer
from support import GOOD, Brief, Call, Research, make

from crux_langgraph import Handoff, errors, handoff

LAYERS = {
    errors.InputError: "input",
    errors.TransformError: "transform",
    errors.OutputError: "output",
    errors.BudgetError: "budget",
    errors.HookError: "on_prepare",
    errors.EnvelopeError: "envelope",
    errors.NotReceivedError: "state",
    errors.DefinitionError: "definition",
}


@pytest.mark.parametrize("kind", LAYERS, ids=lambda kind: kind.__name__)
def test_each_class_of_the_tree_names_its_layer(kind: Any) -> None:
    assert kind.layer == LAYERS[kind]
    assert issubclass(kind, errors.CruxError)
    assert not issubclass(kind, ValueError)


EXAMPLES = [
    errors.DefinitionError(handoff="h", found="odd", fix="Mend it."),
    errors.WiringError(findings=[errors.Finding("code", "node", "message"), errors.Finding("c", "n", "m")]),
    errors.WrongWayError(asked="f()", use="g()"),
    errors.InputError(handoff="h", found="odd", fix="Mend it.", problems=[errors.FieldProblem("a.b", "x", "y")]),
    errors.BudgetError(handoff="h", found="odd", fix="Mend it.", max_tokens=1, needed_tokens=2),
    errors.EnvelopeError(handoff="h", found="odd", fix="Mend it.", reason="corrupt"),
    errors.NotReceivedError(handoff="h", found="odd", fix="Mend it."),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_a_pickled_error_keeps_its_class_its_facts_and_its_sentence(error: errors.CruxError) -> None:
    error.add_note("seen in a test")
    for again in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert type(again) is type(error)
        assert (str(again), again.args) == (str(error), error.args)
        facts = {name: fact for name, fact in vars(error).items() if name != "original"}
        assert vars(again) == facts


class UnpicklableError(Exception):
    def __init__(self, *, code: int) -> None:
        super().__init__("cannot be rebuilt, and holds what cannot be copied")
        self.code = code
        self.lock = threading.Lock()


async def test_an_error_travels_without_an_original_that_cannot(call: Call) -> None:
    @handoff
    def raising(research: Research) -> Brief:
        raise UnpicklableError(code=5)

    with pytest.raises(errors.TransformError) as caught:
        await call.prepare(raising, GOOD)
    again = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(caught.value.original, UnpicklableError)
    assert (str(again), again.original) == (str(caught.value), None)


async def test_a_pickled_error_takes_no_value_of_the_payload_along(call: Call) -> None:
    with pytest.raises(errors.InputError) as caught:
        await call.prepare(make(), {"question": ["s3cret"]})
    assert b"s3cret" not in pickle.dumps(caught.value)


@pytest.mark.parametrize(
    "cause,expected",
    [(ConnectionError(), True), (ValueError(), True), (errors.WrongWayError(asked="x", use="y"), False)],
    ids=repr,
)
def test_an_error_of_the_users_code_is_as_retryable_as_its_cause(cause: Exception, expected: bool) -> None:
    for kind in (errors.TransformError, errors.HookError):
        error = kind(handoff="h", found="f", fix="x")
        error.__cause__ = cause
        assert errors.is_retryable(error) is expected
        error.__cause__ = None
        assert not errors.is_retryable(error)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_what_depends_on_payload_definition_or_wiring_is_not_retryable(error: errors.CruxError) -> None:
    assert not errors.is_retryable(error)


async def test_an_error_of_a_handoff_inside_a_transform_is_not_retryable(call: Call) -> None:
    @handoff
    def outer(research: Research) -> Brief:
        return make().prepare({}).data

    with pytest.raises(errors.TransformError) as caught:
        await call.prepare(outer, GOOD)
    assert isinstance(caught.value.__cause__, errors.InputError)
    assert not errors.is_retryable(caught.value)


async def test_sentences_say_what_was_found_where_and_what_to_do(call: Call) -> None:
    with pytest.raises(errors.InputError) as caught:
        await call.prepare(make(), {"findings": 3})
    assert str(caught.value) == (
        "handoff 'a-to-b' (layer: input): what was given is not a valid Research\n"
        "  question: expected a value (it is required), found nothing\n"
        "  findings: expected a valid list, found int\n"
        "Give an instance of Research, a mapping of its fields or JSON text. Nothing was handed over."
    )


class Rude(BaseModel):
    text: str

    @field_serializer("text", when_used="json")
    def write(self, value: str) -> str:
        raise ValueError(value)


def test_an_input_that_cannot_be_written_is_told_when_it_is_measured() -> None:
    @handoff
    def rude(rude: Rude) -> Brief:
        return Brief(task=rude.text)

    payload = rude.prepare({"text": "s3cret"})
    with pytest.raises(errors.InputError, match="a valid Rude cannot be written as JSON") as caught:
        _ = payload.receipt.input_bytes
    assert "s3cret" not in str(caught.value)


def test_a_payload_changed_after_it_was_checked_is_not_written() -> None:
    payload = make().prepare(GOOD)
    payload.data.task = 5  # type: ignore[assignment]
    with pytest.raises(errors.OutputError, match="change nothing in checked data"):
        payload.to_envelope()


def test_a_default_that_its_field_does_not_allow_is_caught() -> None:
    class Sloppy(BaseModel):
        text: str = None  # type: ignore[assignment]

    with pytest.raises(errors.OutputError, match="text: expected a valid string, found NoneType"):
        Handoff.of(Sloppy, id="x").prepare({})
