"""Wrong use of a delegate fails where it is defined, with what to write instead."""

import copy
import functools
import inspect
import json
import threading
from dataclasses import dataclass
from typing import Annotated, Any, cast

import pytest
from langchain.tools import ToolRuntime
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import InjectedToolArg, InjectedToolCallId
from langgraph.prebuilt import InjectedState, InjectedStore
from langgraph.types import StreamWriter
from pydantic import BaseModel, Field, RootModel, create_model
from support import Brief, Research, to_brief
from typing_extensions import TypedDict

from crux_langgraph import Delegate, RepairRequest, delegate, errors, handoff

CONTRACT = handoff(id="a-to-b")(to_brief)


@dataclass
class Ctx:
    user: str


class Special(Ctx):
    pass


class TypedCtx(TypedDict):
    user: str


class Ask(BaseModel):
    question: str
    depth: int = 1


def make(function: Any, **options: Any) -> Delegate[Any, Any, Any, Any]:
    return delegate(**{"handoff": CONTRACT, **options})(function)


def research(question: str, depth: int = 1) -> Research:
    """Look into a question.

    Args:
        question (str): what to look into,
            in full
        depth: how far to go

    Returns:
        What was found.
    """
    return Research(question=question, findings=["found"] * depth)


def refused(function: Any, **options: Any) -> str:
    with pytest.raises(errors.DefinitionError, match=r"^delegate '.*' \(layer: definition\)") as caught:
        make(function, **options)
    return str(caught.value)


def test_a_delegate_is_named_by_its_function_and_can_be_called_as_it() -> None:
    made = make(research)
    assert (made.id, made.__name__, made.__wrapped__) == ("research", "research", research)
    assert repr(made) == "<Delegate research: research_arguments -> Brief>"
    assert made("Why?", depth=0) == Research(question="Why?")
    assert (make(research, id="other").id, made.handoff) == ("other", CONTRACT)


@pytest.mark.parametrize(
    "given, named",
    [((research,), "research"), ((CONTRACT,), "to_brief"), ((3,), "int"), ((), "@delegate")],
    ids=["bare", "by position", "a number", "nothing"],
)
def test_a_delegate_without_its_handoff_by_name_is_told_what_to_write(given: tuple[Any, ...], named: str) -> None:
    with pytest.raises(errors.DefinitionError, match=r"\nWrite @delegate\(handoff=\.\.\.\) above it") as caught:
        cast("Any", delegate)(*given)
    assert caught.value.handoff == named


def test_the_decorator_still_shows_its_options() -> None:
    assert list(inspect.signature(delegate).parameters)[:2] == ["handoff", "args_schema"]


def test_arguments_come_from_the_signature_and_their_descriptions_from_the_docstring() -> None:
    made = make(research)
    assert made.args_schema.model_json_schema()["properties"] == {
        "question": {"description": "what to look into, in full", "title": "Question", "type": "string"},
        "depth": {"default": 1, "description": "how far to go", "title": "Depth", "type": "integer"},
    }
    assert made.description == "Look into a question.\n\nReturns:\n    What was found."


def test_a_description_in_the_annotation_goes_before_that_of_the_docstring() -> None:
    def asks(
        a: Annotated[str, Field(description="by pydantic")], b: Annotated[str, "by LangChain"], c: Annotated[str, 1]
    ) -> Research:
        """Ask.

        Args:

            no colon here
            a: unseen
            c: by docstring
        """
        return Research(question=a + b + c)

    properties = make(asks).args_schema.model_json_schema()["properties"]
    assert [one["description"] for one in properties.values()] == ["by pydantic", "by LangChain", "by docstring"]


def test_what_the_run_fills_is_no_argument() -> None:
    def asks(
        question: str,
        *,
        context: Ctx,
        runtime: ToolRuntime | None = None,
        config: RunnableConfig,
        repair: RepairRequest | None = None,
    ) -> Research:
        return Research(question=question)

    made = make(asks, context_schema=Ctx)
    assert list(made.args_schema.model_fields) == ["question"]
    assert (made.context_schema, made.max_repairs) == (Ctx, 1)


def test_a_partial_and_a_callable_instance_can_be_delegates() -> None:
    class Asks:
        def __call__(self, question: str) -> Research:
            return Research(question=question)

    assert make(Asks(), id="x").run({"question": "q"}).data.task == "q"
    assert make(functools.partial(research, depth=3)).run({"question": "q"}).data.facts == ["found"] * 3


def test_a_function_takes_the_fields_of_its_args_schema_or_one_instance() -> None:
    def whole(asked: Ask) -> Research:
        return Research(question=asked.question)

    assert make(research, args_schema=Ask).run(Ask(question="q", depth=2)).data.facts == ["found"] * 2
    assert make(whole, args_schema=Ask).run({"question": "q"}).data.task == "q"


@pytest.mark.parametrize("given", [3, int, len])
def test_what_is_no_function_is_refused(given: Any) -> None:
    assert "Put @delegate(...) above a function" in refused(given)


def test_a_return_that_the_handoff_does_not_take_is_refused() -> None:
    def brief(question: str) -> Brief:
        raise NotImplementedError

    def optional(question: str) -> Research | None:
        raise NotImplementedError

    def silent(question: str):
        raise NotImplementedError

    assert "returns Brief, and its handoff takes Research" in refused(brief)
    assert "returns support.Research | None" in refused(optional)
    assert "def silent(...) -> Research" in refused(silent)


def test_an_annotation_that_cannot_be_resolved_is_refused() -> None:
    def asks(question: "Missing") -> Research:  # noqa: F821 - that is the point
        raise NotImplementedError

    assert "'Missing', which cannot be resolved" in refused(asks)


@pytest.mark.parametrize("key", ["config", "context", "repair", "runtime"])
def test_a_name_that_the_run_fills_is_refused_by_position(key: str) -> None:
    scope: dict[str, Any] = {"Research": Research, "Any": Any}
    exec(f"def asks({key}: Any) -> Research: ...", scope)
    assert f"def asks(query: str, *, {key}: ...)" in refused(scope["asks"])


@pytest.mark.parametrize("key", ["repair", "runtime"])
def test_what_often_is_not_there_must_default_to_none(key: str) -> None:
    scope: dict[str, Any] = {"Research": Research, "Any": Any}
    exec(f"def asks(*, {key}: Any) -> Research: ...", scope)
    assert "| None = None" in refused(scope["asks"])


def test_arguments_that_cannot_be_fields_are_refused() -> None:
    def bare(question) -> Research:
        raise NotImplementedError

    def many(*questions: str) -> Research:
        raise NotImplementedError

    def hidden(_question: str) -> Research:
        raise NotImplementedError

    def taken(schema: str) -> Research:
        raise NotImplementedError

    def no_json(question: Call) -> Research:
        raise NotImplementedError

    def called(write: StreamWriter) -> Research:
        raise NotImplementedError

    assert "Annotate it: `question: str`" in refused(bare)
    assert "'questions' cannot be given by name" in refused(many)
    assert "Rename the parameter" in refused(hidden)
    assert "Rename the parameter" in refused(taken)
    assert "belongs into `context`" in refused(no_json)
    assert "belongs into `context`" in refused(called)
    assert "belongs into `context`" in refused(called, args_schema=Called)


class Call:
    """A class that pydantic knows nothing of."""


class Called(BaseModel):
    write: StreamWriter


@pytest.mark.parametrize(
    "annotation",
    [
        Annotated[dict[str, Any], InjectedState],
        Annotated[Any, InjectedStore()],
        Annotated[str, InjectedToolCallId],
        Annotated[str, InjectedToolArg],
        RunnableConfig,
        RunnableConfig | None,
    ],
    ids=["state", "store", "call id", "argument", "config", "optional config"],
)
def test_what_langchain_fills_by_annotation_is_refused_with_how_a_delegate_asks_for_it(annotation: Any) -> None:
    def asks(question: str, given: Any = None) -> Research:
        raise NotImplementedError

    asks.__annotations__["given"] = annotation
    fields: Any = {"question": (str, ...), "given": (annotation, None)}
    for options in ({}, {"args_schema": create_model("Asked", **fields)}):
        assert "its argument 'given' is not one that a calling model gives" in refused(asks, **options)


class Reserved(BaseModel):
    runtime: str
    callbacks: str


@pytest.mark.parametrize(
    "schema, said",
    [
        ({"type": "object"}, "a JSON schema alone would check nothing"),
        (BaseModel, "not a pydantic model"),
        (RootModel[str], "is a RootModel"),
        (Reserved, "the reserved field callbacks, runtime"),
        (Brief, "takes question, depth, and its args_schema has task, facts"),
    ],
)
def test_an_args_schema_that_checks_nothing_or_does_not_match_is_refused(schema: Any, said: str) -> None:
    assert said in refused(research, args_schema=schema)


def test_a_context_must_be_declared_once_and_the_same() -> None:
    def asks(*, context: Ctx) -> Research:
        raise NotImplementedError

    def special(*, context: Special) -> Research:
        raise NotImplementedError

    def bare(*, context) -> Research:
        raise NotImplementedError

    assert "Write context_schema=Ctx" in refused(asks)
    assert "Annotate `context: Ctx`" in refused(special, context_schema=Ctx)
    assert "Annotate `context: TypedCtx`" in refused(asks, context_schema=TypedCtx)
    assert "no annotation on 'context'" in refused(bare, context_schema=Ctx)
    assert "the class that the graph's context_schema is" in refused(asks, context_schema="Ctx")


def test_a_context_may_be_annotated_wider_than_it_is() -> None:
    def base(*, context: Ctx) -> Research:
        raise NotImplementedError

    def anything(*, context: Any) -> Research:
        raise NotImplementedError

    def optional(*, context: TypedCtx | None = None) -> Research:
        raise NotImplementedError

    assert make(base, context_schema=Special).context_schema is Special
    assert make(anything, context_schema=TypedCtx).context_schema is TypedCtx
    assert make(optional, context_schema=TypedCtx).context_schema is TypedCtx


@pytest.mark.parametrize(
    "options",
    [
        {"id": "Not An Id"},
        {"max_repairs": -1},
        {"max_repairs": True},
        {"max_depth": 0},
        {"timeout_s": 0},
        {"timeout_s": "1"},
        {"on_error": "ignore"},
    ],
)
def test_an_option_that_cannot_be_is_refused(options: dict[str, Any]) -> None:
    async def asks() -> Research:
        raise NotImplementedError

    assert str(next(iter(options.values()))) in refused(asks, **options)


def test_repairs_of_a_function_that_does_not_ask_for_them_are_refused() -> None:
    assert "Declare `*, repair: RepairRequest | None = None`" in refused(research, max_repairs=2)


def test_a_time_limit_of_a_plain_function_is_refused() -> None:
    assert "Write it as `async def`" in refused(research, timeout_s=1)


def test_a_tool_needs_a_name_and_a_description_that_a_model_can_be_given() -> None:
    def silent() -> Research:
        raise NotImplementedError

    with pytest.raises(errors.DefinitionError, match="docstring, or description="):
        make(silent).as_tool()
    with pytest.raises(errors.DefinitionError, match="letters, digits"):
        make(research).as_tool(name="two words")
    tool = make(research).as_tool(name="look", description="Look.")
    assert (tool.name, tool.description) == ("look", "Look.")
    assert [one.name for one in make(research).as_tools()] == ["research"]


def test_a_deep_copy_is_the_delegate_itself_whatever_its_subagent_holds() -> None:
    lock = threading.Lock()

    class Locked:
        """Answer."""

        def __init__(self) -> None:
            self.lock = lock

        def __call__(self) -> Research:
            with self.lock:
                return Research(question="q")

    made = make(Locked())
    assert copy.deepcopy({"made": made})["made"] is made
    assert json.loads(made.as_tool(name="locked").model_copy(deep=True).invoke({}))["data"]["task"] == "q"


def test_a_local_function_may_name_itself() -> None:
    made = make(research)

    def itself(depth: int = 0) -> Research:
        return local(depth=1) if depth == 0 else made("end")

    local = make(itself)

    @delegate(handoff=CONTRACT)
    def decorated() -> Research:
        return decorated() if not decorated else made("end")

    assert (local.run({}).data.task, decorated.run({}).data.task) == ("end", "end")


def test_what_is_no_handoff_is_refused_with_how_to_make_one() -> None:
    wrong: Any = Research
    with pytest.raises(errors.DefinitionError, match=r"its handoff is of type ModelMetaclass\nGive handoff="):

        @delegate(handoff=wrong)
        def subagent(question: str) -> Research:  # pyright: ignore[reportUnusedFunction]
            """Research a question."""
            raise NotImplementedError(question)
