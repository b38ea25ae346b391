"""A subagent far away that does what its input says: whatever can happen to a remote run."""

import asyncio
import operator
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, Send, interrupt
from langsmith import tracing_context
from pydantic import BaseModel
from typing_extensions import TypedDict

TRIES: Counter[str] = Counter()


class Ctx(TypedDict, total=False):
    user: str


class Found(TypedDict):
    question: str
    findings: list[str]


class State(MessagesState, total=False):
    do: str
    data: Any
    out: Any
    asked: Annotated[list[Any], operator.add]
    structured_response: Found


class SpecialError(Exception):
    """An error of a class that the caller does not have."""

    def __init__(self) -> None:
        super().__init__("failed on purpose")


class Strict(BaseModel):
    number: int


def tried(config: RunnableConfig) -> int:
    """How often this thread was here, this time included."""
    thread = config["configurable"]["thread_id"]
    TRIES[thread] += 1
    return TRIES[thread]


def until_there(path: Path) -> None:
    while not path.exists():
        time.sleep(0.05)


async def echo(data: Any, config: RunnableConfig) -> Any:
    return data


async def around(data: Any, config: RunnableConfig) -> Any:
    return {key: str(value) for key, value in config["configurable"].items() if not key.startswith("__")}


async def fail(data: Any, config: RunnableConfig) -> Any:
    raise SpecialError


async def fail_once(data: Any, config: RunnableConfig) -> Any:
    if tried(config) == 1:
        raise SpecialError
    return {"tries": TRIES[config["configurable"]["thread_id"]]}


async def invalid(data: Any, config: RunnableConfig) -> Any:
    return Strict(number=data).number


async def ask(data: Any, config: RunnableConfig) -> Any:
    return [interrupt(question) for question in data]


async def ask_then_fail_once(data: Any, config: RunnableConfig) -> Any:
    answers = await ask(data, config)
    await fail_once(data, config)
    return answers


async def parent(data: Any, config: RunnableConfig) -> Any:
    return Command(graph=Command.PARENT, goto="elsewhere")


async def nap(data: Any, config: RunnableConfig) -> Any:
    get_stream_writer()({"napping": data})
    await asyncio.sleep(data)
    return {"thread": config["configurable"]["thread_id"], "tries": tried(config)}


async def wait_for(data: Any, config: RunnableConfig) -> Any:
    get_stream_writer()("waiting")
    await asyncio.to_thread(until_there, Path(data))
    return {"thread": config["configurable"]["thread_id"], "tries": tried(config)}


async def say(data: Any, config: RunnableConfig) -> Any:
    for one in data:
        get_stream_writer()(one)


DEEDS = {
    deed.__name__: deed
    for deed in (echo, around, fail, fail_once, invalid, ask, ask_then_fail_once, parent, nap, wait_for, say)
}


async def work(state: State, config: RunnableConfig, runtime: Runtime[Ctx]) -> Any:
    if state["do"] == "user":
        return {"out": (runtime.context or {}).get("user")}
    done = await DEEDS[state["do"]](state.get("data"), config)
    return done if isinstance(done, Command) else {"out": done, "messages": [AIMessage("done", id="m")]}


async def one_of_several(question: str) -> dict[str, Any]:
    return {"asked": [[question, interrupt(question)]]}


def route(state: State) -> Any:
    return [Send("one_of_several", one) for one in state["data"]] if state["do"] == "ask_all" else "work"


builder = StateGraph(State, context_schema=Ctx)
builder.add_node("work", work)
builder.add_conditional_edges(START, route, ["work", "one_of_several"])
builder.add_node("one_of_several", one_of_several)
built = builder.compile()


@contextmanager
def graph(config: RunnableConfig) -> Iterator[Any]:
    """Give the graph within the trace of its caller, if the caller sent it along."""
    around = config.get("configurable", {})
    if "langsmith-trace" not in around:
        yield built
        return
    project = f"langsmith-project={around.get('langsmith-project', '')}"
    with tracing_context(parent={"langsmith-trace": around["langsmith-trace"], "baggage": project}):
        yield built
