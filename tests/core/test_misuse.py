"""Wrong use of the decorator is a `DefinitionError` with the fix, whatever was given."""

from collections.abc import Callable
from typing import Any

import pytest
from support import Brief, Research, to_brief

from crux_langgraph import Handoff, errors, handoff
from crux_langgraph._signature import accepts, name_of


def told(define: Callable[[], object]) -> str:
    with pytest.raises(errors.DefinitionError) as caught:
        define()
    assert caught.value.__cause__ is None
    return str(caught.value)


@pytest.mark.parametrize("given", ["a-to-b", 5, Brief, len], ids=repr)
def test_what_is_no_function_of_the_users_is_refused(given: Any) -> None:
    assert "Put @handoff, or @handoff(id=...), above a function" in told(lambda: handoff(given))


def attribute(research: "Research.nowhere") -> Brief: ...  # type: ignore[name-defined, empty-body]
def syntax(research: "Research |") -> Brief: ...  # type: ignore[valid-type, syntax, empty-body] # noqa: F722
def subscript(research: "Research[int]") -> Brief: ...  # type: ignore[type-arg, empty-body]


@pytest.mark.parametrize("function", [attribute, syntax, subscript], ids=name_of)
def test_an_annotation_that_makes_no_sense_is_refused(function: Any) -> None:
    assert "its annotations cannot be resolved at run time" in told(lambda: handoff(function))


@pytest.mark.parametrize("model", [list[Research], Research | None, "Research", 5], ids=str)
def test_a_handoff_of_what_is_no_model_is_refused(model: Any) -> None:
    assert "Make it a BaseModel" in told(lambda: Handoff.of(model, id="x"))


def test_a_handoff_of_an_instance_is_refused_without_its_values() -> None:
    given: Any = Research(question="s3cret")
    text = told(lambda: Handoff.of(given, id="x"))
    assert "an instance of Research" in text
    assert "s3cret" not in text


@pytest.mark.parametrize("given", [5, b"x"], ids=repr)
def test_an_id_that_is_no_text_is_refused(given: Any) -> None:
    assert "its id would be" in told(lambda: handoff(id=given)(to_brief))
    assert "its id would be" in told(lambda: Handoff.of(Research, id=given))


@pytest.mark.parametrize("option", ["from_agent", "to_agent"])
@pytest.mark.parametrize("given", ["", "  ", "two\nlines", 5, b"a"], ids=repr)
def test_an_agents_name_is_text_on_one_line(option: str, given: Any) -> None:
    options: dict[str, Any] = {option: given}
    assert f"its {option} is {given!r}" in told(lambda: handoff(**options)(to_brief))


@pytest.mark.parametrize("hook", [5, "hook", lambda: None, lambda _one, _two: None], ids=["int", "str", "none", "two"])
def test_a_hook_that_cannot_take_a_payload_is_refused(hook: Any) -> None:
    assert "its on_prepare cannot be called with one payload" in told(lambda: handoff(on_prepare=hook)(to_brief))


def test_a_builtin_that_does_not_tell_its_parameters_may_be_a_hook() -> None:
    assert accepts({}.update, 1)
    assert accepts(print, 1)
    assert handoff(on_prepare=[].append)(to_brief).id == "to-brief"


def test_methods_and_callable_instances_have_a_name() -> None:
    class Maker:
        """Makes briefs."""

        def __call__(self, research: Research) -> Brief:
            return to_brief(research)

        def make(self, research: Research) -> Brief:
            return to_brief(research)

    made = handoff(id="x")(Maker())
    assert (made.__name__, made.description) == ("Maker", "Makes briefs.")
    assert handoff(Maker().make).prepare({"question": "q"}).data.task == "q"


def test_a_method_that_still_needs_its_self_is_refused() -> None:
    class Holder:
        def method(self, research: Research) -> Brief:
            return to_brief(research)

    assert "takes self, research" in told(lambda: handoff(Holder.method))
