"""The types of state keys: a finding only where no value can ever fit; whatever may fit is none."""

from collections.abc import Sequence
from typing import Annotated, Any

import pytest
from langgraph.graph import END, START, StateGraph
from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Json,
    RootModel,
    create_model,
    field_validator,
    model_validator,
)
from typing_extensions import TypedDict

from crux_langgraph import Handoff, Handoffs, add_handoff, errors


def wired(model: type[BaseModel], read: str | None = None, **keys: Any) -> list[str]:
    """Give the codes of what is found when `model` is read from a state with these keys."""
    schema = TypedDict("Holding", {**keys, "handoffs": Handoffs})
    try:
        add_handoff(StateGraph(schema), Handoff.of(model, id="h"), source=START, target=END, read=read)
    except errors.WiringError as error:
        return [finding.code for finding in error.findings]
    return []


class Plain(BaseModel):
    words: list[str]


class Splitting(BaseModel):
    words: list[str]

    @field_validator("words", mode="before")
    @classmethod
    def split(cls, value: Any) -> Any:
        return value.split() if isinstance(value, str) else value


class SplittingAny(BaseModel):
    words: list[str]

    @field_validator("*", mode="before")
    @classmethod
    def split(cls, value: Any) -> Any:
        return value.split() if isinstance(value, str) else value


class SplittingAfter(BaseModel):
    words: list[str]

    @field_validator("words")
    @classmethod
    def same(cls, value: list[str]) -> list[str]:
        return value


class SplittingOther(BaseModel):
    words: list[str]
    other: str = ""

    @field_validator("other", mode="before")
    @classmethod
    def same(cls, value: Any) -> Any:
        return value


class Annotating(BaseModel):
    words: Annotated[list[str], BeforeValidator(str.split)]


class AnnotatingInside(BaseModel):
    words: Annotated[list[str], BeforeValidator(str.split)] | None


class FromJson(BaseModel):
    words: Json[list[str]]


class Bounded(BaseModel):
    words: Annotated[list[str], Field(min_length=1)]


@pytest.mark.parametrize("model", [Splitting, SplittingAny, Annotating, AnnotatingInside, FromJson])
def test_a_field_that_a_validator_may_convert_is_not_judged(model: Any) -> None:
    assert wired(model, words=str) == []


@pytest.mark.parametrize("model", [Plain, SplittingAfter, SplittingOther, Bounded])
def test_a_field_without_such_a_validator_is_judged(model: Any) -> None:
    assert wired(model, words=str) == ["mistyped-key"]


class Numbered(BaseModel):
    number: str


class NumberedText(BaseModel):
    model_config = ConfigDict(coerce_numbers_to_str=True)

    number: str


def test_a_number_is_no_text_unless_the_model_makes_it_one() -> None:
    assert wired(Numbered, number=int) == ["mistyped-key"]
    assert wired(NumberedText, number=int) == []


class Source(BaseModel):
    url: str


class SourceAlike(BaseModel):
    url: str
    title: str = ""


class Unlike(BaseModel):
    name: str


class Detailed(Source):
    author: str


class Sources(RootModel[list[Source] | Source]):
    pass


@pytest.mark.parametrize(
    "wanted,held,found",
    [
        (Source, Source, False),
        (Source, SourceAlike, False),
        (Source, Detailed, False),
        (Detailed, Source, False),
        (Source, BaseModel, False),
        (Source, Unlike, True),
        (Source, str, True),
        (Source, list[Source], True),
        (Source, int, True),
        (Sources, Unlike, False),
        (str, Sequence[str], False),
        (str, object, False),
        (str, list[str], True),
        (list[str], Sequence[str], False),
        (dict[str, int], Source, False),
        (int, Sequence[str], False),
        (list[str] | None, str, True),
        (list[str] | None, list[str] | None, False),
        (list[str] | None, type(None), False),
        (list[str] | str | None, str, False),
    ],
    ids=str,
)
def test_a_model_inside_the_input_is_read_by_its_fields(wanted: Any, held: Any, found: bool) -> None:
    model = create_model("Input", part=(wanted, ...))
    assert wired(model, part=held) == (["mistyped-key"] if found else [])


@pytest.mark.parametrize(
    "wanted,value",
    [
        (Source, Source(url="u")),
        (Source, SourceAlike(url="u")),
        (Source, Detailed(url="u", author="a")),
        (Source, Unlike(name="n")),
        (Source, "u"),
        (Source, 1),
        (Source, {"url": "u"}),
        (Sources, Source(url="u")),
        (str, 1),
        (str, "s"),
        (str, ["s"]),
        (int, "1"),
        (list[str], "s"),
        (list[str], ("s",)),
        (list[str], {"s": 1}),
        (dict[str, str], ["s"]),
    ],
    ids=str,
)
def test_what_is_refused_by_type_would_be_refused_by_value(wanted: Any, value: Any) -> None:
    contract = Handoff.of(create_model("Input", part=(wanted, ...)), id="h")
    refused = bool(wired(contract.input_schema, part=type(value)))
    if refused:
        with pytest.raises(errors.InputError):
            contract.prepare({"part": value})
    else:
        assert contract.prepare({"part": value}).data


class Attributed(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    url: str


class Before(BaseModel):
    url: str

    @model_validator(mode="before")
    @classmethod
    def convert(cls, value: Any) -> Any:
        return {"url": "made"}


class After(BaseModel):
    url: str

    @model_validator(mode="after")
    def same(self) -> "After":
        return self


@pytest.mark.parametrize(
    "wanted,held,found",
    [
        (Source, SourceAlike, True),
        (Source, Detailed, False),
        (Detailed, Source, False),
        (Source, BaseModel, False),
        (Sources, Source, False),
        (Attributed, Unlike, False),
        (Before, Unlike, False),
        (Before, int, False),
        (After, Unlike, True),
    ],
    ids=str,
)
def test_a_whole_input_takes_instances_of_its_own_class_only(wanted: Any, held: Any, found: bool) -> None:
    assert wired(wanted, "it", it=held) == (["mistyped-key"] if found else [])


@pytest.mark.parametrize("held", [Source, SourceAlike])
def test_the_judgement_of_a_whole_input_is_that_of_the_handoff_itself(held: Any) -> None:
    contract = Handoff.of(Source, id="h")
    value = held(url="u")
    if wired(Source, "it", it=held):
        with pytest.raises(errors.InputError):
            contract.prepare(value)
    else:
        assert contract.prepare(value).data.url == "u"


def test_a_field_of_a_model_that_makes_its_own_fields_is_not_judged() -> None:
    assert wired(Before, url=dict) == []
    assert wired(After, url=dict) == ["mistyped-key"]


def test_required_fields_may_be_missing_where_the_model_makes_them_itself() -> None:
    class Made(BaseModel):
        url: str
        title: str = ""

        @model_validator(mode="before")
        @classmethod
        def convert(cls, value: Any) -> Any:
            return {"url": "made", **value}

    contract = Handoff.of(Made, id="h")
    builder: Any = StateGraph(TypedDict("Holding", {"title": str, "handoffs": Handoffs}))
    add_handoff(builder, contract, source=START, target=END)
    assert contract.received(builder.compile().invoke({"title": "t"})).data == Made.model_construct(
        url="made", title="t"
    )


@pytest.mark.parametrize("alias", ["q", AliasChoices("q", "other")], ids=["one", "several"])
def test_a_field_is_found_by_what_it_is_validated_by(alias: Any) -> None:
    model = create_model("Aliased", question=(str, Field(validation_alias=alias)))
    contract = Handoff.of(model, id="h")
    builder: Any = StateGraph(TypedDict("Holding", {"q": str, "handoffs": Handoffs}))
    add_handoff(builder, contract, source=START, target=END)
    data: Any = contract.received(builder.compile().invoke({"q": "why"})).data
    assert data.question == "why"
    assert wired(model, q=dict) == ["mistyped-key"]
