"""What cannot work later is refused where a delegate on another server is defined, without asking that server."""

from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel
from support import make

from crux_langgraph import Delegate, errors

URL = "http://127.0.0.1:2024"


class Ask(BaseModel):
    question: str


class Ctx(BaseModel):
    user: str


def defined(url: Any = URL, assistant: Any = "web-search", **options: Any) -> Delegate[Any, Any, Any, Any]:
    return Delegate.from_remote(url, assistant, **{"handoff": make(), "args_schema": Ask, **options})


def test_it_is_named_by_the_assistant_or_by_its_id() -> None:
    made = defined(description="Search.")
    assert (made.id, made.__name__, made.__doc__, made.max_repairs) == ("web-search", "web_search", "Search.", 0)
    made = defined(assistant=str(uuid4()), id="finder", description="Find.")
    assert (made.id, made.as_tool().name) == ("finder", "finder")


@pytest.mark.parametrize(
    "options, said",
    [
        ({"url": "127.0.0.1:2024"}, "no http address"),
        ({"url": "file:///etc/passwd"}, "no http address"),
        ({"url": None}, "no http address"),
        ({"assistant": ""}, "its assistant is ''"),
        ({"assistant": None, "id": "finder"}, "its assistant is None"),
        ({"assistant": "fe096781-5601-53d2-b2f6-0d3403f7e9ca"}, "an id and no name"),
        ({"args_schema": dict}, "not a pydantic model"),
        ({"context_schema": "Ctx"}, "its context_schema is 'Ctx'"),
        ({"prompt": "Why?"}, "its prompt cannot be called"),
        ({"output": "all"}, "its output is 'all'"),
        ({"output": ["text"]}, r"its output is \['text'\]"),
        ({"recursion_limit": 0}, "recursion_limit is 0"),
        ({"max_repairs": -1}, "max_repairs is -1"),
        ({"max_repairs": "1"}, "max_repairs is '1'"),
        ({"timeout_s": 0}, "timeout_s is 0"),
        ({"headers": "token"}, "its headers are of type str"),
        ({"config_keys": "tenant"}, "its config_keys are 'tenant'"),
        ({"config_keys": [1]}, r"its config_keys are \[1\]"),
        ({"context_keys": ["user"]}, "context_keys and no context_schema"),
        ({"context_schema": Ctx, "context_keys": ["user"], "config_keys": ["tenant"]}, "a context or a configurable"),
        ({"forwards": "custom"}, "it forwards 'custom'"),
        ({"forwards": ["values"]}, r"it forwards \['values'\]"),
    ],
)
def test_what_could_not_work_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(errors.DefinitionError, match=said):
        defined(**options)


async def test_a_time_limit_needs_the_way_that_can_be_cancelled() -> None:
    with pytest.raises(errors.WrongWayError, match="timeout_s"):
        defined(timeout_s=1).run({"question": "Why?"})
