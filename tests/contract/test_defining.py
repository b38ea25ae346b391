"""Wrong use fails where the handoff is defined, with what to write instead."""

import enum
import functools
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, TypeVar
from uuid import UUID

import pytest
from langchain_core.messages import AnyMessage
from pydantic import (
    Base64Bytes,
    BaseModel,
    ConfigDict,
    Field,
    Json,
    PlainSerializer,
    RootModel,
    SecretBytes,
    SecretStr,
    field_serializer,
    model_serializer,
)
from support import Brief, Research, to_brief
from typing_extensions import TypeAliasType, TypedDict

from crux_langgraph import Handoff, Private, errors, handoff


def lost(model: type[BaseModel]) -> dict[str, str]:
    """What is refused about a model, by path."""
    try:
        Handoff.of(model, id="x")
    except errors.DefinitionError as error:
        return {problem.path: problem.expected for problem in error.problems}
    return {}


def test_the_id_is_the_functions_name_with_hyphens() -> None:
    assert handoff(to_brief).id == "to-brief"


@pytest.mark.parametrize("given", ["", "Upper", "a_b", "a b", "x" * 65])
def test_an_id_that_cannot_be_one_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(errors.DefinitionError, match="for example id='research-to-writer'"):
        handoff(id=given)(to_brief)


def test_a_handoff_keeps_the_functions_name_docstring_and_itself() -> None:
    made = handoff(id="x")(to_brief)
    assert (made.__name__, made.__doc__, made.__wrapped__) == ("to_brief", "Answer the question.", to_brief)
    assert made.description == "Answer the question."
    assert repr(made) == "<Handoff x: Research -> Brief>"


def test_a_handoff_can_be_called_as_the_plain_function() -> None:
    assert handoff(to_brief)(Research(question="q")) == Brief(task="q")
    assert Handoff.of(Brief, id="brief")(Brief(task="t")) == Brief(task="t")


def test_a_handoff_of_one_model_passes_it_on() -> None:
    made = Handoff.of(Brief, id="brief", from_agent="a", to_agent="b", max_tokens=1000, version=2)
    assert made.prepare({"task": "t"}).data == Brief(task="t")
    assert (made.input_schema, made.output_schema, made.version) == (Brief, Brief, 2)
    assert made.description == "Take over from a Brief."


def test_a_partial_and_a_callable_instance_can_be_handoffs() -> None:
    class Maker:
        def __call__(self, research: Research) -> Brief:
            return to_brief(research)

    made = handoff(id="x")(Maker())
    assert made.prepare({"question": "q"}).data.task == "q"
    assert made.__wrapped__.__class__ is Maker


def test_a_missing_annotation_is_refused_with_the_signature_to_write() -> None:
    def no_input(research) -> Brief: ...  # type: ignore[no-untyped-def, empty-body]

    def no_output(research: Research): ...  # type: ignore[no-untyped-def]

    with pytest.raises(errors.DefinitionError, match=r"def no_input\(research: Research\) -> Brief"):
        handoff(no_input)
    with pytest.raises(errors.DefinitionError, match="no return annotation"):
        handoff(no_output)


@pytest.mark.parametrize("annotation", [dict, dict[str, Any], str, Research | None, BaseModel, list[Research]], ids=str)
def test_a_payload_that_is_no_model_is_refused_with_the_fix(annotation: Any) -> None:
    def function(research: Any) -> Brief: ...  # type: ignore[empty-body]

    function.__annotations__["research"] = annotation
    with pytest.raises(errors.DefinitionError, match="Make it a BaseModel"):
        handoff(function)


def test_two_required_parameters_are_refused() -> None:
    def two(research: Research, more: int) -> Brief: ...  # type: ignore[empty-body]

    with pytest.raises(errors.DefinitionError, match=r"takes research, more; a handoff takes exactly one"):
        handoff(two)


def test_no_parameter_and_keyword_only_payloads_are_refused() -> None:
    def none() -> Brief: ...  # type: ignore[empty-body]

    def keyword(*, research: Research) -> Brief: ...  # type: ignore[empty-body]

    def second(extra: int = 0, /, *, research: Research) -> Brief: ...  # type: ignore[empty-body]

    for function in (none, keyword, second):
        with pytest.raises(errors.DefinitionError, match="a handoff takes exactly one"):
            handoff(function)


def test_a_runtime_without_a_default_is_refused() -> None:
    def eager(research: Research, *, runtime: Any) -> Brief: ...  # type: ignore[empty-body]

    with pytest.raises(errors.DefinitionError, match=r"runtime: Runtime\[Ctx\] \| None = None"):
        handoff(eager)


def test_an_unresolvable_name_is_named() -> None:
    def function(research: "Nowhere") -> Brief: ...  # type: ignore[name-defined, empty-body] # noqa: F821

    with pytest.raises(errors.DefinitionError, match="'Nowhere', which cannot be resolved"):
        handoff(function)


def test_a_local_name_that_the_function_uses_is_resolved() -> None:
    class Local(BaseModel):
        task: str

    def function(research: "Research") -> "Local":
        return Local(task=research.question)

    assert handoff(function).output_schema is Local


def test_a_model_that_is_not_complete_is_named() -> None:
    class Unfinished(BaseModel):
        part: "Missing"  # type: ignore[name-defined] # noqa: F821

    with pytest.raises(errors.DefinitionError, match=r"Unfinished, its input, is not complete.*\n.*model_rebuild"):
        Handoff.of(Unfinished, id="x")


@pytest.mark.parametrize("version", [0, -1, True, "1", 1.0], ids=str)
def test_a_version_is_a_whole_number_from_one(version: Any) -> None:
    with pytest.raises(errors.DefinitionError, match="whole number from 1"):
        handoff(version=version)(to_brief)


@pytest.mark.parametrize("limit", [True, "500", 1.5], ids=str)
def test_a_budget_is_a_whole_number(limit: Any) -> None:
    with pytest.raises(errors.DefinitionError, match=f"max_tokens is a {type(limit).__name__}"):
        handoff(max_tokens=limit)(to_brief)


@pytest.mark.parametrize("limit", [0, -5, 10], ids=str)
def test_a_budget_that_the_frame_alone_exceeds_is_refused(limit: Any) -> None:
    with pytest.raises(errors.DefinitionError, match=r"heading and fence alone take \d+ tokens"):
        handoff(max_tokens=limit)(to_brief)


@pytest.mark.parametrize(
    "answer,told",
    [
        (lambda _: 0, "answers 0 for a sentence"),
        (lambda _: -3, "answers -3"),
        (lambda _: 7, "answers 7 for 8 times the text it counts as 7"),
        (lambda text: len(text) / 4, "answers float, not a whole number"),
        (lambda _: True, "answers bool"),
        (lambda text: 1 + len(text) // 100, "fewer than any tokenizer"),
    ],
    ids=["zero", "negative", "constant", "float", "bool", "too few"],
)
def test_a_counter_that_answers_nonsense_is_refused(answer: Callable[[str], Any], told: str) -> None:
    with pytest.raises(errors.DefinitionError, match=told):
        handoff(counter=answer)(to_brief)


def test_a_counter_that_raises_is_refused_with_its_error_chained() -> None:
    def offline(text: str) -> int:
        raise ConnectionError

    with pytest.raises(errors.DefinitionError, match="its counter raised ConnectionError") as caught:
        handoff(counter=offline)(to_brief)
    assert isinstance(caught.value.__cause__, ConnectionError)


class Color(enum.Enum):
    RED = "red"


class Pair(enum.Enum):
    ONE = (1, 2)


class Opaque:
    pass


T = TypeVar("T")
Bound = TypeVar("Bound", bound=int)


class Box(BaseModel, Generic[T]):
    item: T


class Node(BaseModel):
    children: list["Node"] = []


class Typed(TypedDict):
    at: datetime
    secret: SecretStr


@dataclass
class Data:
    blob: bytes


class Named(NamedTuple):
    run: Callable[[], int]


class Everything(BaseModel):
    any_: Any
    object_: object
    text: str
    number: Decimal
    when: datetime
    path: Path
    uuid: UUID
    color: Color
    literal: Literal["a", 1]
    maybe: int | None
    encoded: Base64Bytes
    parsed: Json[list[int]]
    plain: list
    nested: dict[str, list[tuple[int, str]]]
    ordered: OrderedDict[str, int]
    several: tuple[int, ...]
    box: Box[int]
    any_box: Box
    tree: Node
    messages: list[AnyMessage]
    new: NewType("Id", int)
    alias: TypeAliasType("Alias", list[int])


def test_everything_with_a_json_form_is_accepted() -> None:
    assert lost(Everything) == {}


class CodeRoot(RootModel[Callable[[], int]]):
    pass


class Refused(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    secret: SecretStr
    secrets: list[SecretBytes]
    blob: bytes
    call: Callable[[], int]
    kind: type[int]
    lines: Iterator[str]
    pair: Pair
    opaque: Opaque
    maybe: Opaque | None
    hidden: int = Field(exclude=True)
    typed: Typed
    data: Data
    named: Named
    box: Box[bytes]


def test_every_field_that_json_would_lose_is_named_with_what_to_write() -> None:
    assert lost(Refused) == {
        "hidden": "a field that is written (Private() hides one)",
        "secret": "Annotated[str, Private()] (a secret type is written as asterisks)",
        "secrets[]": "Annotated[str, Private()] (a secret type is written as asterisks)",
        "blob": "Base64Bytes, or ConfigDict(ser_json_bytes='base64', val_json_bytes='base64')",
        "call": "data (code cannot be written as JSON)",
        "kind": "data (code cannot be written as JSON)",
        "lines": "a list (an iterator can be read only once)",
        "pair": "an enum whose values are strings or numbers",
        "opaque": "a type with a JSON form, such as a BaseModel",
        "maybe": "a type with a JSON form, such as a BaseModel",
        "typed.secret": "Annotated[str, Private()] (a secret type is written as asterisks)",
        "data.blob": "Base64Bytes, or ConfigDict(ser_json_bytes='base64', val_json_bytes='base64')",
        "named.run": "data (code cannot be written as JSON)",
        "box.item": "Base64Bytes, or ConfigDict(ser_json_bytes='base64', val_json_bytes='base64')",
    }


def test_bytes_are_accepted_when_the_model_writes_and_reads_them_alike() -> None:
    class Encoded(BaseModel):
        model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
        blob: bytes

    made = Handoff.of(Encoded, id="x")
    payload = made.prepare(Encoded(blob=b"\xff\x00"))
    assert made.from_envelope(payload.to_envelope()).data.blob == b"\xff\x00"


def test_a_root_model_of_something_lost_is_named_at_the_root() -> None:
    assert lost(CodeRoot) == {"(root)": "data (code cannot be written as JSON)"}


def test_what_would_undo_a_private_field_is_refused() -> None:
    class Serialized(BaseModel):
        token: Annotated[str, Private()]

        @field_serializer("token")
        def show(self, value: str) -> str:
            return value

    class Whole(BaseModel):
        token: Annotated[str, Private()]

        @model_serializer
        def show(self) -> dict[str, Any]:
            return {"token": self.token}

    class Outer(BaseModel):
        token: Annotated[str, Private(), PlainSerializer(str)]

    assert lost(Serialized) == {"token": "no field_serializer on a Private() field (it would undo it)"}
    assert lost(Whole) == {"(root)": "no model_serializer beside a Private() field (it would undo it)"}
    assert lost(Outer) == {"token": "Private() after the serializer (which would undo it)"}


def test_the_error_carries_its_facts() -> None:
    with pytest.raises(errors.DefinitionError) as caught:
        Handoff.of(Refused, id="x")
    error = caught.value
    assert (error.handoff, error.layer) == ("x", "definition")
    assert "secret: expected Annotated[str, Private()]" in str(error)
    assert error.fix in str(error)


def test_partials_are_named_by_what_they_wrap() -> None:
    def function(research: Research, note: str) -> Brief:
        return Brief(task=note)

    partial = functools.partial(function, note="n")
    with pytest.raises(errors.DefinitionError):
        handoff(id="Bad Id")(partial)


def test_an_unknown_option_is_refused_with_those_that_there_are() -> None:
    wrong: Any = {"from_": "research"}
    with pytest.raises(errors.DefinitionError, match=r"from_ is no option of a handoff\nGive one of these: id, from_a"):
        Handoff.of(Brief, id="x", **wrong)
