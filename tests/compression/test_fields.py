"""What fields say they may lose: pinned, weighted, ordered, omitted, private; at any depth."""

from dataclasses import dataclass
from typing import Annotated, Any, cast

import pytest
from pydantic import BaseModel, GetCoreSchemaHandler, RootModel, field_serializer
from pydantic_core import CoreSchema
from typing_extensions import TypedDict

from crux_langgraph import Handoff, errors
from crux_langgraph.compression import DoesNotFitError, fit
from crux_langgraph.fields import Fit, Omit, Pin, Private

PROSE = " ".join(f"The crew of ship {n} saw island {n * 7} in March." for n in range(400))


def paths_shown(fitted: Any) -> list[str]:
    return [part.path for part in fitted.parts if part.tokens_after]


def test_a_pinned_field_stands_first_whatever_its_worth() -> None:
    class Brief(BaseModel):
        notes: str
        rule: Annotated[str, Pin()]

    fitted = fit(Brief(notes=PROSE, rule='You must\nnot "sail" on'), 200)
    assert 'rule: You must\nnot "sail" on' in fitted.text
    assert fitted.parts[1].reason == "pinned"
    assert fitted.parts[1].tier == "verbatim"
    assert fitted.omitted == ("notes",)


def test_a_pin_that_json_would_escape_is_not_given_as_json() -> None:
    class Brief(BaseModel):
        rule: Annotated[str, Pin()]

    assert fit(Brief(rule='a "b"'), 500).text == 'rule: a "b"'
    assert fit(Brief(rule="a b"), 500).text == '{\n  "rule": "a b"\n}'


def test_pins_that_do_not_fit_are_named_with_their_tokens() -> None:
    class Inner(BaseModel):
        rules: Annotated[list[str], Pin()]

    class Brief(BaseModel):
        question: Annotated[str, Pin()]
        inner: Inner

    with pytest.raises(DoesNotFitError) as caught:
        fit(Brief(question="why? " * 100, inner=Inner(rules=["never " * 50, "always"])), 100)
    assert [path for path, _ in caught.value.pins] == ["question", "inner.rules"]
    assert all(tokens > 0 for _, tokens in caught.value.pins)
    assert caught.value.needed_tokens > caught.value.max_tokens == 100
    assert "question (" in str(caught.value)
    assert "why?" not in str(caught.value)


def test_a_pinned_subtree_keeps_everything_in_it() -> None:
    class Brief(BaseModel):
        plan: Annotated[dict[str, Any], Pin()]
        notes: str

    plan = {"steps": ["go, now", "{[stop]}"], "who": [{"a": 1, "b": "x|y"}, {"a": None, "b": "long " * 60}], "when": {}}
    text = fit(Brief(plan=plan, notes=PROSE), 300).text
    for pinned in ("go, now", "{[stop]}", "x|y", "long " * 60, "a: 1", "a: null", "when: {}"):
        assert pinned in text


def test_pins_are_found_in_lists_optionals_unions_and_typed_dicts() -> None:
    class Rule(BaseModel):
        text: Annotated[str, Pin()]
        why: str

    class Plain(TypedDict):
        key: Annotated[str, Pin()]
        rest: str

    class Brief(BaseModel):
        many: list[Rule]
        maybe: Annotated[str, Pin()] | None
        either: int | list[Annotated[str, Pin()]]
        other: int | dict[str, Annotated[str, Pin()]]
        record: int | Rule
        row: Plain | None
        table: dict[int, Rule]
        typed: Plain
        notes: str

    fitted = fit(
        Brief(
            many=[Rule(text="rule-1", why=PROSE), Rule(text="rule-2", why=PROSE)],
            maybe="rule-3",
            either=["rule-4"],
            other={"a": "rule-7"},
            record=Rule(text="rule-8", why=PROSE),
            row={"key": "rule-9", "rest": PROSE},
            table={1: Rule(text="rule-5", why=PROSE)},
            typed={"key": "rule-6", "rest": PROSE},
            notes=PROSE,
        ),
        400,
    )
    assert [f"rule-{n}" in fitted.text for n in range(1, 10)] == [True] * 9
    assert "many[].text" in [part.path for part in fitted.parts]


def test_pinned_messages_are_neither_cut_nor_tidied() -> None:
    class Brief(BaseModel):
        talk: Annotated[list[dict[str, str]], Pin()]
        notes: str

    said = ["So , uh , the the end .\n\n  Indented.", '{"a": 1.0,\n "b": 2}', *["Right ."] * 20]
    brief = Brief(talk=[{"role": "user", "content": text} for text in said], notes=PROSE)
    for budget in (400, 100_000):
        text = fit(brief, budget).text
        assert all(content in text for content in said)


def test_an_omitted_field_is_named_and_never_shown() -> None:
    class Page(BaseModel):
        url: str
        html: Annotated[str, Omit()]

    class Brief(BaseModel):
        pages: list[Page]
        raw: Annotated[str, Omit()]

    fitted = fit(Brief(pages=[Page(url="a.org", html="<b>"), Page(url="b.org", html="<i>")], raw="secret soup"), 500)
    assert fitted.tier == "verbatim"
    assert "<b>" not in fitted.text
    assert "soup" not in fitted.text
    assert fitted.omitted == ("pages[].html", "raw")
    assert [part.reason for part in fitted.parts[1:]] == ["declared Omit()"] * 2


def test_a_private_field_is_nowhere_at_any_depth() -> None:
    class Inner(BaseModel):
        token: Annotated[str, Private()]
        name: str

    class Brief(BaseModel):
        inner: Inner
        keys: list[Annotated[str, Private()]]
        by_name: dict[str, Annotated[str, Private()]]
        notes: str

    brief = Brief(inner=Inner(token="hush-1", name="n"), keys=["hush-2"], by_name={"a": "hush-3"}, notes=PROSE)
    for budget in (60, 200, 100_000):
        fitted = fit(brief, budget)
        assert "hush" not in f"{fitted}"
        assert "crux" not in f"{fitted}"


def test_a_weighted_field_gets_more_of_the_budget() -> None:
    def shown_of(weight: float) -> int:
        class Brief(BaseModel):
            one: Annotated[str, Fit(weight=weight)]
            other: str

        return fit(Brief(one=PROSE, other=PROSE.replace("crew", "band")), 600).parts[0].tokens_after

    assert shown_of(8) > shown_of(1) > shown_of(0.1)


def test_a_weight_that_orders_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="give a positive number"):
        Fit(weight=0)


@pytest.mark.parametrize("order, kept", [("first", "item 0 "), ("last", "item 299 ")])
def test_an_ordered_field_is_kept_from_one_end(order: Any, kept: str) -> None:
    class Brief(BaseModel):
        steps: Annotated[list[str], Fit(order=order)]
        notes: str

    fitted = fit(Brief(steps=[f"item {n} " + "was done well " * 8 for n in range(300)], notes=PROSE), 300)
    assert kept in fitted.text
    assert "item 150 " not in fitted.text


def test_every_field_of_a_nested_record_has_its_own_entry() -> None:
    class Address(BaseModel):
        city: str
        street: str

    class Brief(BaseModel):
        address: Address
        notes: str

    fitted = fit(Brief(address=Address(city="Rome", street="Via 1"), notes=PROSE), 200)
    assert [part.path for part in fitted.parts] == ["address.city", "address.street", "notes"]
    assert "address.city: Rome, street: Via 1" in fitted.text


def test_fields_that_are_left_out_are_named_at_the_end() -> None:
    value = {f"field_{n}": PROSE[n * 50 :] for n in range(40)}
    fitted = fit(value, 150)
    assert fitted.tier == "extract"
    gone = [part.path for part in fitted.parts if part.tier == "reference"]
    assert gone
    assert f"… left out: {gone[0]}" in fitted.text
    assert fitted.text.endswith("more")


def test_an_empty_field_counts_as_shown() -> None:
    fitted = fit({"nothing": None, "notes": PROSE}, 150)
    assert fitted.parts[0].reason == "empty"
    assert fitted.omitted == ("notes",)


def test_a_root_model_and_custom_serializers_are_read_as_they_dump() -> None:
    class Names(RootModel[list[Annotated[str, Pin()]]]):
        pass

    class Odd(BaseModel):
        when: int
        table: dict[int, int]

        @field_serializer("when")
        def _when(self, value: int) -> dict[str, int]:
            return {"at": value}

        @field_serializer("table")
        def _table(self, value: dict[int, int]) -> dict[str, int]:
            return {"only": len(value)}

    assert "rule-1" in fit(Names(["rule-1", *[PROSE] * 0]), 60).text
    assert (
        fit(Odd(when=3, table={1: 2, 3: 4}), 200).text
        == '{\n  "when": {\n    "at": 3\n  },\n  "table": {\n    "only": 2\n  }\n}'
    )


def test_metadata_that_cannot_be_hashed_is_no_obstacle() -> None:
    class Brief(BaseModel):
        rule: Annotated[str, {"a": []}, Pin()]

    assert fit(Brief(rule='"x"'), 60).text == 'rule: "x"'


def test_metadata_that_cannot_be_hashed_is_no_obstacle_inside_of_a_list_either() -> None:
    class Marks(BaseModel):
        given: list[Annotated[int | str, {"a": []}]]

    marks = Marks(given=[1, "b"])
    assert fit(marks, 60).text == fit(marks.model_dump(), 60).text
    assert Handoff.of(Marks, id="marks").prepare(marks).data == marks


def test_metadata_that_cannot_be_hashed_is_read_once() -> None:
    asked: list[object] = []

    @dataclass  # one that is not frozen cannot be hashed
    class Noting:
        def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
            asked.append(source)
            return handler(source)

    class Named(BaseModel):
        name: Annotated[str, Private()]

    class Row(BaseModel):
        by: Annotated[int | Named, Noting()]

    fit([Row(by=1)], 1_000)
    once = len(asked)
    fit([Row(by=2)] * 50, 1_000)
    assert len(asked) == once


def test_a_value_nested_beyond_reason_is_shown_as_text() -> None:
    class Brief(BaseModel):
        deep: Any
        hidden: Annotated[str, Private()]

    deep: Any = "bottom"
    for _ in range(90):
        deep = [deep]
    assert "bottom" in fit(Brief(deep=deep, hidden="hush"), 3_000).text
    assert "bottom" in fit({"deep": deep}, 3_000).text
    for _ in range(5_000):
        deep = [deep]
    assert fit({"deep": deep}, 3_000).tokens <= 3_000


class Bare(BaseModel):
    kept: Annotated[str, Pin]
    hidden: Annotated[str, Omit] = "raw"
    long: str


def test_a_mark_without_parentheses_is_meant_as_one_with_them() -> None:
    shown = fit(Bare(kept="the question " * 3, long="It rained again on that day. " * 50), 60)
    tiers = {part.path: part.tier for part in shown.parts}
    assert (tiers["kept"], tiers["hidden"]) == ("verbatim", "reference")
    assert "the question " * 3 in shown.text


class PinnedByDefault(BaseModel):
    question: str = cast("Any", Pin())


def test_a_mark_in_the_place_of_a_default_is_refused() -> None:
    with pytest.raises(errors.DefinitionError, match=r"expected Annotated\[..., Pin\(\)\], found Pin as its default"):
        Handoff.of(PinnedByDefault, id="x")


class PinnedAndOmitted(BaseModel):
    page: Annotated[str, Pin(), Omit()]


class BothInside(BaseModel):
    pages: list[Annotated[str, Omit, Pin]]


class BothByUnion(BaseModel):
    page: Annotated[str, Pin()] | Annotated[int, Omit()]


class BothAtTheRoot(RootModel[str]):
    root: Annotated[str, Pin(), Omit()]


class PinOfOmitted(BaseModel):
    inner: Annotated[Bare, Pin()]


@pytest.mark.parametrize(
    "model, path",
    [(PinnedAndOmitted, "page"), (BothInside, "pages[]"), (BothByUnion, "page"), (BothAtTheRoot, "(root)")],
)
def test_a_field_that_is_to_be_shown_whole_and_left_out_is_refused(model: type[BaseModel], path: str) -> None:
    with pytest.raises(errors.DefinitionError, match="Change each as it says") as caught:
        Handoff.of(model, id="x")
    assert caught.value.problems == (
        errors.FieldProblem(path, "Pin() to show it whole or Omit() to leave it out", "both"),
    )


def test_a_pinned_model_may_have_an_omitted_field() -> None:
    assert Handoff.of(PinOfOmitted, id="x").output_schema is PinOfOmitted


class Budgeted(BaseModel):
    first: Annotated[str, Pin()]
    long: str
    last: Annotated[str, Pin()]
    rest: str


@pytest.mark.parametrize("budget", [40, 60, 80, 120])
def test_the_mark_of_what_is_missing_stands_on_no_line_of_a_pin(budget: int) -> None:
    rain = "It rained again on that day. " * 50
    shown = fit(Budgeted(first="Budget 2027", long=rain, last="Budget 2028", rest=rain), budget)
    assert "…" in shown.text
    assert [line.endswith(("2027", "2028")) for line in shown.text.splitlines() if "Budget" in line] == [True, True]
