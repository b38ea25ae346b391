"""What a server publishes of an assistant is compared with what a delegate sends it and takes from it."""

from typing import Any, Literal

import pytest
from langgraph.graph import START, StateGraph
from pydantic import BaseModel
from support import Research, make
from typing_extensions import TypedDict

from crux_langgraph import Delegate, errors
from crux_langgraph._delegate._remote_run import parsed
from crux_langgraph._waiting import finish


class Ask(BaseModel):
    question: str
    depth: int = 1
    kind: Literal["deep", "wide"] = "deep"


class Publishing:
    """What a server says of an assistant."""

    def __init__(self, inputs: Any, outputs: Any) -> None:
        self._given = {"input_schema": inputs, "output_schema": outputs}

    async def schemas(self) -> dict[str, Any]:
        return self._given


def schema_of(**keys: Any) -> dict[str, Any]:
    """The JSON schema that LangGraph makes of a state with these keys."""
    builder: Any = StateGraph(TypedDict("State", keys, total=False))
    builder.add_node("node", lambda _: {})
    builder.add_edge(START, "node")
    schema: dict[str, Any] = builder.compile().get_input_jsonschema()
    return schema


def problems(inputs: Any, outputs: Any, **options: Any) -> list[str]:
    given: Any = {"handoff": make(), "args_schema": Ask, "output": lambda state: state}
    made = Delegate.from_remote("http://127.0.0.1:9", "far", **{**given, **options})
    try:
        finish(made._subagent.agree(Publishing(inputs, outputs)))
    except errors.SchemaMismatchError as error:
        return [str(problem) for problem in error.problems]
    return []


ASKED: dict[str, Any] = {"question": str, "depth": int, "kind": str}


@pytest.mark.parametrize(
    "keys, found",
    [
        ({"messages": list}, []),
        (ASKED, []),
        ({**ASKED, "depth": float, "more": str}, []),
        ({**ASKED, "question": Any}, []),
        ({**ASKED, "question": str | None}, []),
        ({**ASKED, "question": list[str]}, ["question: expected array, found string"]),
        ({**ASKED, "kind": Literal[1, 2]}, ["kind: expected integer, found string"]),
        ({"question": str, "kind": str}, ["depth: expected an input of that name, found no such input"]),
    ],
)
def test_arguments_need_an_input_that_takes_them(keys: Any, found: list[str]) -> None:
    assert problems(schema_of(**keys), None) == found
    assert problems(schema_of(**keys), None, prompt=lambda asked: {"question": asked.question}) == []


def test_a_repair_needs_messages() -> None:
    assert problems(schema_of(**ASKED), None, max_repairs=1) == [
        "messages: expected an input, for max_repairs, found no such input"
    ]


@pytest.mark.parametrize(
    "published, found",
    [
        (Research, []),
        (Any, []),
        (dict[str, Any], []),
        (str, ["structured_response: expected object, found string"]),
        (
            TypedDict("Other", {"findings": list[str]}),
            ["structured_response.question: expected string, found no such field"],
        ),
        (
            TypedDict("Wrong", {"question": str, "findings": str}),
            ["structured_response.findings: expected array, found string"],
        ),
    ],
)
def test_a_structured_response_must_be_able_to_fit_the_handoff(published: Any, found: list[str]) -> None:
    outputs = schema_of(structured_response=published)
    assert problems(None, outputs, output="structured_response") == found


def test_a_text_needs_messages_and_what_is_not_published_is_not_compared() -> None:
    found = ["messages: expected an output, for output='text', found no such output"]
    assert problems(None, schema_of(**ASKED), output="text") == found
    assert problems(None, schema_of(messages=list), output="text") == []
    assert problems({"type": "array"}, {"type": "string"}, output="structured_response") == []
    either = {"type": ["string", "null"]}
    assert problems({"properties": {"question": either, "depth": {"const": 1}, "kind": {"enum": ["deep"]}}}, None) == []


def test_a_final_state_without_messages_is_read_as_it_is() -> None:
    assert [parsed(values) for values in ({"out": 1}, [1])] == [{"out": 1}, [1]]
