"""Preparing a payload: three checks, one typed error each, and a payload that is whole."""

import asyncio
import contextvars
import pickle
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import pytest
from langgraph.errors import GraphInterrupt
from pydantic import BaseModel, ConfigDict, Discriminator, Field, RootModel, Tag, field_validator, model_validator
from support import BAD, GOOD, Brief, Call, Research, make, to_brief
from typing_extensions import TypedDict

from crux_langgraph import Handoff, Payload, Pin, errors, handoff


@pytest.mark.parametrize(
    "value", [Research(**GOOD), GOOD, '{"question": "Why?", "findings": ["one", "two"]}'], ids=type
)
async def test_a_model_a_mapping_and_json_text_are_prepared_alike(call: Call, value: Any) -> None:
    payload = await call.prepare(make(), value)
    assert payload.data == Brief(task="Why?", facts=["one", "two"])


async def test_a_payload_says_what_it_is(call: Call) -> None:
    payload = await call.prepare(make(version=3), GOOD)
    assert (payload.handoff, payload.version, payload.from_agent, payload.to_agent) == ("a-to-b", 3, "a", "b")
    assert payload.summary is None
    assert timedelta(0) <= datetime.now(UTC) - payload.created_at < timedelta(minutes=1)
    assert payload.id != (await call.prepare(make(), GOOD)).id


async def test_an_async_transform_is_prepared_by_aprepare_and_told_in_prepare(call: Call) -> None:
    @handoff
    async def slow(research: Research) -> Brief:
        await asyncio.sleep(0)
        return to_brief(research)

    if call.is_async:
        assert (await call.prepare(slow, GOOD)).data.task == "Why?"
    else:
        with pytest.raises(errors.WrongWayError, match=r"`await handoff.aprepare\(...\)`"):
            await call.prepare(slow, GOOD)


async def test_a_plain_transform_under_aprepare_sees_the_callers_context(call: Call) -> None:
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("set")

    @handoff
    def reads(research: Research) -> Brief:
        return Brief(task=variable.get())

    assert (await call.prepare(reads, GOOD)).data.task == "set"


@pytest.mark.parametrize("value", [None, 5, [], ..., b"\xff", "not json", "[]", Brief(task="t")], ids=repr)
async def test_what_is_no_input_is_an_input_error_at_the_root(call: Call, value: Any) -> None:
    with pytest.raises(errors.InputError) as caught:
        await call.prepare(make(), value)
    assert [problem.path for problem in caught.value.problems] == ["(root)"]
    assert (caught.value.handoff, caught.value.layer) == ("a-to-b", "input")


async def test_a_bad_input_names_every_field_by_path_and_type_and_chains_nothing(call: Call) -> None:
    with pytest.raises(errors.InputError) as caught:
        await call.prepare(make(), {"findings": ["fine", 5]})
    error = caught.value
    assert [str(problem) for problem in error.problems] == [
        "question: expected a value (it is required), found nothing",
        "findings[1]: expected a valid string, found int",
    ]
    assert error.__cause__ is None
    assert error.__suppress_context__
    assert type(error.original).__name__ == "ValidationError"


async def test_an_instance_made_invalid_by_model_construct_is_caught(call: Call) -> None:
    with pytest.raises(errors.InputError, match="question: expected a value"):
        await call.prepare(make(), Research.model_construct(findings=[]))


async def test_an_instance_made_invalid_by_a_mutation_is_caught(call: Call) -> None:
    research = Research(**GOOD)
    research.findings.append(5)  # type: ignore[arg-type]
    with pytest.raises(errors.InputError, match=r"findings\[2\]: expected a valid string, found int"):
        await call.prepare(make(), research)


class Item(BaseModel):
    name: str


class Items(BaseModel):
    items: list[Item]


async def test_an_invalid_instance_inside_a_mapping_is_caught(call: Call) -> None:
    with pytest.raises(errors.InputError, match=r"items\[0\].name"):
        await call.prepare(Handoff.of(Items, id="x"), {"items": [Item.model_construct(name=5)]})


@pytest.mark.parametrize("returned", [None, {"facts": []}, Research(question="q"), "nonsense"], ids=repr)
async def test_a_bad_return_is_an_output_error(call: Call, returned: Any) -> None:
    @handoff
    def wrong(research: Research) -> Brief:
        return returned  # type: ignore[no-any-return]

    with pytest.raises(errors.OutputError, match=r"wrong\(\) did not return a valid Brief") as caught:
        await call.prepare(wrong, GOOD)
    assert caught.value.layer == "output"


async def test_an_output_made_invalid_by_a_mutation_is_caught(call: Call) -> None:
    @handoff
    def mutated(research: Research) -> Brief:
        brief = to_brief(research)
        brief.facts = None  # type: ignore[assignment]
        return brief

    with pytest.raises(errors.OutputError, match="facts: expected a valid list, found NoneType"):
        await call.prepare(mutated, GOOD)


async def test_an_error_of_the_transform_is_chained(call: Call) -> None:
    @handoff
    def raising(research: Research) -> Brief:
        raise LookupError(research.question)

    with pytest.raises(errors.TransformError, match=r"raising\(\) raised LookupError") as caught:
        await call.prepare(raising, GOOD)
    assert isinstance(caught.value.__cause__, LookupError)
    assert caught.value.original is caught.value.__cause__
    assert "Why?" not in str(caught.value)
    assert errors.is_retryable(caught.value)


async def test_a_model_that_the_transform_builds_wrongly_is_told_by_field_and_not_chained(call: Call) -> None:
    @handoff
    def building(research: Research) -> Brief:
        return Brief(task=5)  # type: ignore[arg-type]

    told = r"built a Brief that is not valid\n  task: expected a valid string"
    with pytest.raises(errors.TransformError, match=told) as caught:
        await call.prepare(building, GOOD)
    assert caught.value.__cause__ is None
    assert not errors.is_retryable(caught.value)


async def test_stop_iteration_in_a_transform_is_an_error_like_any_other(call: Call) -> None:
    @handoff
    def stopping(research: Research) -> Brief:
        raise StopIteration

    with pytest.raises(errors.TransformError):
        await call.prepare(stopping, GOOD)


async def test_control_flow_of_langgraph_passes_through(call: Call) -> None:
    @handoff
    def interrupting(research: Research) -> Brief:
        raise GraphInterrupt

    with pytest.raises(GraphInterrupt):
        await call.prepare(interrupting, GOOD)


async def test_cancellation_passes_through() -> None:
    @handoff
    async def endless(research: Research) -> Brief:
        await asyncio.sleep(60)
        return to_brief(research)

    task = asyncio.create_task(endless.aprepare(GOOD))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_outside_a_graph_the_runtime_is_none(call: Call) -> None:
    @handoff
    def asks(research: Research, runtime: Any = None) -> Brief:
        return Brief(task=str(runtime))

    assert (await call.prepare(asks, GOOD)).data.task == "None"


async def test_the_hook_is_called_with_the_payload_after_all_checks(call: Call) -> None:
    seen: list[Payload[Any]] = []
    payload = await call.prepare(make(on_prepare=seen.append), GOOD)
    assert seen == [payload]
    with pytest.raises(errors.InputError):
        await call.prepare(make(on_prepare=seen.append), BAD)
    assert seen == [payload]


async def test_an_async_hook_is_awaited_and_told_in_prepare(call: Call) -> None:
    seen: list[Payload[Any]] = []

    async def hook(payload: Payload[Any]) -> None:
        await asyncio.sleep(0)
        seen.append(payload)

    if call.is_async:
        assert [await call.prepare(make(on_prepare=hook), GOOD)] == seen
    else:
        with pytest.raises(errors.WrongWayError, match=r"hook\(\) is asynchronous"):
            await call.prepare(make(on_prepare=hook), GOOD)


async def test_an_error_of_the_hook_is_chained(call: Call) -> None:
    def hook(payload: Payload[Any]) -> None:
        raise OSError

    with pytest.raises(errors.HookError, match=r"its on_prepare function hook\(\) raised OSError") as caught:
        await call.prepare(make(on_prepare=hook), GOOD)
    assert isinstance(caught.value.__cause__, OSError)
    assert errors.is_retryable(caught.value)


class Pinned(BaseModel):
    text: Annotated[str, Pin()]


async def test_a_payload_that_does_not_fit_is_an_error_with_both_sizes(call: Call) -> None:
    with pytest.raises(errors.BudgetError, match=r"the pinned fields text \(\d+ tokens\) must be shown") as caught:
        await call.prepare(Handoff.of(Pinned, id="x", max_tokens=200), {"text": "word " * 500})
    assert caught.value.max_tokens == 200
    assert caught.value.needed_tokens > 500
    assert [path for path, _ in caught.value.pins] == ["text"]


async def test_a_payload_that_fits_is_counted_by_the_handoffs_own_counter(call: Call) -> None:
    counted: list[str] = []

    def count(text: str) -> int:
        counted.append(text)
        return len(text)

    payload = await call.prepare(make(max_tokens=1000, counter=count), GOOD)
    assert counted[-1] == payload.context
    assert payload.receipt.context_tokens == len(payload.context)


class Anything(BaseModel):
    model_config = ConfigDict(extra="allow")

    value: Any = None
    number: float = 0
    mixed: int | Any | datetime = 0
    maybe: dict[str, Any] | datetime | None = None
    either: float | str = ""
    pair: tuple[int, Any] = (0, 0)
    table: dict[str, list[float]] = {}
    typed: "Extra" = Field(default_factory=lambda: Extra(x=1))
    tree: list["Anything"] = []


class Extra(TypedDict):
    x: Any


class AnyRoot(RootModel[list[Any]]):
    pass


DEEP: Any = []
for _ in range(150):
    DEEP = [DEEP]

NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    "fields,told",
    [
        ({"value": NOW}, "value: expected a JSON value (str, int, float, bool, None, list or dict), found datetime"),
        ({"value": {"a": [1, {1}]}}, "value.a[1]: expected a JSON value"),
        ({"value": (1,)}, "value: expected a JSON value"),
        ({"value": {1: 2}}, "value: expected string keys, found a int key"),
        ({"value": "\ud800"}, "value: expected text that UTF-8 can write, found str with a lone surrogate"),
        ({"value": float("nan")}, "value: expected a finite number, found inf or nan"),
        ({"value": DEEP}, "expected nesting of at most 100 levels, found deeper nesting"),
        ({"number": float("inf")}, "number: expected a finite number, found inf or nan"),
        ({"mixed": {1, 2}}, "mixed: expected a JSON value"),
        ({"maybe": {"at": NOW}}, "maybe.at: expected a JSON value"),
        ({"either": float("inf")}, "either: expected a finite number"),
        ({"pair": (1, NOW)}, "pair[1]: expected a JSON value"),
        ({"table": {"row": [1.0, float("-inf")]}}, "table.row[1]: expected a finite number"),
        ({"typed": {"x": NOW}}, "typed.x: expected a JSON value"),
        ({"tree": [{"value": 1}, {"value": NOW}]}, "tree[1].value: expected a JSON value"),
        ({"more": NOW}, "more: expected a JSON value"),
    ],
    ids=range(16),
)
async def test_any_holds_json_values_and_anything_else_is_named_by_path(call: Call, fields: Any, told: str) -> None:
    made = Handoff.of(Anything, id="x")
    for value in (fields, Anything(**fields)):
        with pytest.raises(errors.InputError) as caught:
            await call.prepare(made, value)
        assert told in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"value": {"a": [1, 2.5, "x", None, True, {}]}, "mixed": 5, "maybe": NOW, "either": 1.5, "more": {"x": [1]}},
        {"maybe": {"a": 1}, "mixed": "text", "either": "inf", "pair": (1, "x"), "tree": [{"tree": [{}]}]},
    ],
    ids=range(2),
)
async def test_json_values_under_any_survive_the_round_trip(call: Call, fields: Any) -> None:
    made = Handoff.of(Anything, id="x")
    payload = await call.prepare(made, fields)
    assert made.from_envelope(payload.to_envelope()) == payload


async def test_a_root_models_paths_have_no_name_for_the_root(call: Call) -> None:
    with pytest.raises(errors.InputError, match=r"\[1\]: expected a JSON value"):
        await call.prepare(Handoff.of(AnyRoot, id="x"), AnyRoot([1, NOW]))


class Loop(BaseModel):
    next: "Loop | None" = None


async def test_an_instance_that_contains_itself_is_an_input_error(call: Call) -> None:
    loop = Loop()
    loop.next = loop
    with pytest.raises(errors.InputError, match="data that does not contain itself, found endless nesting"):
        await call.prepare(Handoff.of(Loop, id="x"), loop)


class Careless(BaseModel):
    value: Any = None

    @field_validator("value")
    @classmethod
    def look(cls, value: Any) -> Any:
        return value["missing"]


async def test_a_validator_that_raises_something_else_is_told_as_such(call: Call) -> None:
    with pytest.raises(
        errors.InputError, match="validators and serializers that raise ValueError or nothing"
    ) as caught:
        await call.prepare(Handoff.of(Careless, id="x"), {"value": {}})
    assert isinstance(caught.value.original, KeyError)


class Picky(BaseModel):
    size: int = Field(gt=3)
    name: str = ""

    @model_validator(mode="after")
    def look(self) -> "Picky":
        if self.name == "no":
            message = "name may not be no"
            raise ValueError(message)
        return self


async def test_a_validators_own_words_are_told(call: Call) -> None:
    with pytest.raises(errors.InputError, match="what satisfies: Value error, name may not be no"):
        await call.prepare(Handoff.of(Picky, id="x"), {"size": 5, "name": "no"})
    with pytest.raises(errors.InputError, match="size: expected greater than 3, found int"):
        await call.prepare(Handoff.of(Picky, id="x"), {"size": 1})


async def test_a_long_list_of_problems_is_cut_in_the_text_and_whole_on_the_error(call: Call) -> None:
    with pytest.raises(errors.InputError, match=r"and 30 more \(all of them on .problems\)") as caught:
        await call.prepare(make(), {"question": "q", "findings": list(range(50))})
    assert len(caught.value.problems) == 50


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str = Field(alias="dogName")


def kind_of(value: Any) -> str:
    return value["kind"] if isinstance(value, dict) else value.kind


class Zoo(BaseModel):
    model_config = ConfigDict(serialize_by_alias=True)

    pets: list[Annotated[Annotated[Cat, Tag("cat")] | Annotated[Dog, Tag("dog")], Discriminator(kind_of)]]


class StrictTimes(BaseModel):
    model_config = ConfigDict(strict=True)

    at: datetime
    pair: tuple[int, int]


async def test_aliases_unions_and_strict_models_survive_the_round_trip(call: Call) -> None:
    zoo = Handoff.of(Zoo, id="zoo")
    payload = await call.prepare(zoo, {"pets": [{"kind": "cat"}, {"kind": "dog", "dogName": "rex"}]})
    assert zoo.from_envelope(payload.to_envelope()) == payload
    assert payload == zoo.from_envelope(
        (await call.prepare(zoo, payload.data)).to_envelope()
        | {"id": payload.id, "fence": payload.fence, "created_at": payload.created_at.isoformat()}
    )
    times = Handoff.of(StrictTimes, id="times")
    strict = await call.prepare(times, StrictTimes(at=NOW, pair=(1, 2)))
    assert times.from_envelope(strict.to_envelope()) == strict


async def test_errors_can_be_sent_between_processes(call: Call) -> None:
    with pytest.raises(errors.BudgetError) as caught:
        await call.prepare(Handoff.of(Pinned, id="x", max_tokens=100), {"text": "word " * 500})
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy), copy.needed_tokens) == (
        errors.BudgetError,
        str(caught.value),
        caught.value.needed_tokens,
    )


@pytest.mark.parametrize(
    "error,expected",
    [(ConnectionError(), True), (KeyboardInterrupt(), False), (errors.WrongWayError(asked="x", use="y"), False)],
    ids=repr,
)
def test_only_what_may_end_differently_is_retryable(error: BaseException, expected: bool) -> None:
    assert errors.is_retryable(error) is expected


def test_a_validation_error_of_others_is_not_retryable() -> None:
    with pytest.raises(ValueError, match="question") as caught:
        Research.model_validate({})
    assert not errors.is_retryable(caught.value)


class Left(BaseModel):
    name: str


class Right(BaseModel):
    name: str
    more: Any = None


class Blurred(BaseModel):
    either: Left | Right
    several: list[Left | dict[str, Any] | Right] = []
    table: dict[str, tuple[Left | Right, ...]] = {}


class BlurredRoot(RootModel[list[Left | Right]]):
    pass


async def test_an_instance_keeps_the_members_of_its_unions(call: Call) -> None:
    value = Blurred(
        either=Right(name="r"), several=[Right(name="r"), {"name": "d"}], table={"t": (Right(name="r"), Left(name="l"))}
    )
    assert (await call.prepare(Handoff.of(Blurred, id="x"), value)).data == value
    root = BlurredRoot([Right(name="r")])
    assert (await call.prepare(Handoff.of(BlurredRoot, id="x"), root)).data == root


async def test_an_invalid_instance_in_a_union_is_caught(call: Call) -> None:
    value = Blurred(either=Right(name="r"))
    value.either.name = 5  # type: ignore[assignment]
    with pytest.raises(errors.InputError):
        await call.prepare(Handoff.of(Blurred, id="x"), value)


@pytest.mark.parametrize(
    "fields,told",
    [
        ({"question": "\ud800"}, "question: expected text that UTF-8 can write"),
        ({"question": "\xe4", "findings": ["a", "\xe4", "\udfff"]}, "findings[2]: expected text"),
    ],
    ids=["text", "list"],
)
async def test_text_that_utf8_cannot_write_is_named_by_field(call: Call, fields: Any, told: str) -> None:
    with pytest.raises(errors.InputError) as caught:
        await call.prepare(make(), fields)
    assert told in str(caught.value)


class Keyed(BaseModel):
    sizes: dict[str, int]


@pytest.mark.parametrize(
    "key,told",
    [
        ("plain", "sizes.plain: expected"),
        ("with space", "sizes['with space']: expected"),
        ("\n\x1b[31m", r"sizes['\n\x1b[31m']: expected"),
        ("k" * 10**6 + " ", "sizes['kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk...]: expected"),
    ],
    ids=["plain", "space", "escape", "long"],
)
async def test_keys_of_mappings_are_told_escaped_and_shortened(call: Call, key: str, told: str) -> None:
    with pytest.raises(errors.InputError) as caught:
        await call.prepare(Handoff.of(Keyed, id="x"), {"sizes": {key: "x"}})
    assert told in str(caught.value)


async def test_a_key_that_utf8_cannot_write_is_refused(call: Call) -> None:
    with pytest.raises(errors.InputError):
        await call.prepare(Handoff.of(Keyed, id="x"), {"sizes": {"\ud800": 1}})


@pytest.mark.parametrize("answer", [0, -1, True, 1.5, None, "x"], ids=repr)
async def test_a_counter_that_answers_nonsense_later_is_a_budget_error(call: Call, answer: Any) -> None:
    answers: list[Any] = []
    made = make(max_tokens=500, counter=lambda text: answers[0] if answers else len(text))
    answers.append(answer)
    with pytest.raises(errors.BudgetError, match="its counter answered") as caught:
        await call.prepare(made, GOOD)
    assert (caught.value.handoff, caught.value.needed_tokens) == ("a-to-b", None)


async def test_a_counter_that_raises_later_is_a_budget_error(call: Call) -> None:
    broken: list[bool] = []

    def count(text: str) -> int:
        if broken:
            raise ZeroDivisionError
        return len(text)

    made = make(max_tokens=500, counter=count)
    broken.append(True)
    with pytest.raises(errors.BudgetError, match="its counter raised ZeroDivisionError") as caught:
        await call.prepare(made, GOOD)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


class Numbers(BaseModel):
    any_: Any = None
    whole: list[int] = []
    real: list[float] = []


@pytest.mark.parametrize("field", ["whole", "real"])
async def test_lists_of_numbers_that_were_mutated_into_something_else_are_caught(call: Call, field: str) -> None:
    value = Numbers(whole=[1], real=[1.0])
    getattr(value, field).append("x")
    with pytest.raises(errors.InputError, match=rf"{field}\[1\]: expected a valid"):
        await call.prepare(Handoff.of(Numbers, id="x"), value)


class Listed(BaseModel):
    any_: Any = None
    items: list[Item] = []


async def test_a_list_of_models_into_which_something_else_was_put_is_validated_all_the_same(call: Call) -> None:
    value = Listed(items=[Item(name="one")])
    value.items.append({"name": "two"})  # type: ignore[arg-type]
    assert (await call.prepare(Handoff.of(Listed, id="x"), value)).data.items == [Item(name="one"), Item(name="two")]
