"""Whatever the graph and whatever the models choose: nothing is lost, nothing runs twice, no limit is off by one."""

import contextlib
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from desk import State, call_of, look_up
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import StateGraph
from legal import illegal
from pydantic import BaseModel, Field, PrivateAttr
from support import Call

from crux_langgraph import Handoff, add_active_router, add_handoffs, errors
from crux_langgraph.middleware import HandoffContext, HandoffRouting

ANSWER = "answered"


class Note(BaseModel):
    tag: str
    plan: list[Any]
    """What the agent that receives it is to do: a list of moves."""


class KilledError(Exception):
    """Stands for the process that ends between two steps."""


# A move is ("tool", question) or ("hand", agent, the plan of that agent).
Move = Sequence[Any]


class Ran:
    """What the models did: who ran with which tag, how often; and at which calls of any model the process ends."""

    def __init__(self, kills: Sequence[int] = ()) -> None:
        self.tags: Counter[str] = Counter()
        self.calls = 0
        self.kills = set(kills)

    def call(self) -> None:
        self.calls += 1
        if self.calls in self.kills:
            raise KilledError


class Planned(BaseChatModel):
    """An agent's model: does what the plan in its brief says, once, and answers afterwards."""

    agent: str
    first: list[Any] = Field(default_factory=list)
    _ran: Ran = PrivateAttr()

    @property
    def _llm_type(self) -> str:
        return "planned"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self

    def _generate(self, messages: list[Any], *args: Any, **kwargs: Any) -> ChatResult:
        tag, plan = self._given(messages)
        answered = any(isinstance(message, ToolMessage) for message in _since_human(messages))
        calls = [] if answered else [_call(self.agent, place, move) for place, move in enumerate(plan)]
        self._ran.call()
        if not answered:
            self._ran.tags[f"{self.agent} {tag}"] += 1
        message = AIMessage("" if calls else f"{ANSWER} {tag}", tool_calls=calls)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _given(self, messages: list[Any]) -> tuple[str, list[Any]]:
        human = [message for message in messages if message.type == "human"][-1]
        text = human.content
        if "<data" in text:
            note = Note.model_validate_json(text.partition(">\n")[2].rpartition("\n</data")[0])
            return note.tag, note.plan
        return text, self.first


def _since_human(messages: list[Any]) -> list[Any]:
    places = [place for place, message in enumerate(messages) if message.type == "human"]
    return messages[places[-1] :]


def _call(agent: str, place: int, move: Move) -> dict[str, Any]:
    # The ids are those that providers repeat: the place in the turn, the same for every agent and every turn.
    if move[0] == "tool":
        return call_of("look_up", str(place), question=move[1])
    return call_of(f"transfer_to_{move[1]}", str(place), tag=move[2], plan=move[3])


AGENTS = ["a0", "a1", "a2", "a3"]


def moves(depth: int) -> st.SearchStrategy[list[Any]]:
    tool = st.tuples(st.just("tool"), st.sampled_from(["x", "y"])).map(list)
    if depth == 0:
        return st.lists(tool, max_size=1)
    onward = st.tuples(st.just("hand"), st.sampled_from(AGENTS), st.uuids().map(str), moves(depth - 1)).map(list)
    return st.lists(st.one_of(onward, onward, tool), max_size=3)


class Expected:
    """What one turn that begins at an agent must come to: who runs, which tools are called, what is answered."""

    def __init__(self, agent: str, tag: str, plan: list[Any]) -> None:
        self.tags, self.tools, self.answers = Counter([f"{agent} {tag}"]), Counter[str](), Counter[str]()
        hands = [move for move in plan if move[0] == "hand"]
        if not hands:
            self.answers[f"{ANSWER} {tag}"] += 1
        self.tools.update(f"found {move[1]}" for move in plan if move[0] == "tool")
        for _, target, further, onward in hands:
            then = Expected(target, further, onward)
            self.tags += then.tags
            self.tools += then.tools
            self.answers += then.answers


def deepest(plan: list[Any]) -> int:
    return max((1 + deepest(move[3]) for move in plan if move[0] == "hand"), default=0)


def build(turn: list[Any], ran: Ran, max_hops: int | None = None) -> Any:
    to = {name: Handoff.of(Note, id=f"to-{name}", to_agent=name) for name in AGENTS}
    builder: Any = StateGraph(State)
    for name in AGENTS:
        model = Planned(agent=name, first=turn)
        model._ran = ran
        middleware = [HandoffContext(*to.values(), history="since_handoff"), HandoffRouting(*to.values())]
        builder.add_node(name, create_agent(model, [look_up], middleware=middleware))
        add_handoffs(builder, name, to.values(), max_hops=max_hops)
    add_active_router(builder, default="a0")
    return builder


@asynccontextmanager
async def saver(kind: str, call: Call) -> Any:
    if kind == "memory":
        yield InMemorySaver()
        return
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "threads.sqlite")
        if call.is_async:
            async with AsyncSqliteSaver.from_conn_string(path) as made:
                yield made
        else:
            with SqliteSaver.from_conn_string(path) as made:
                yield made


async def run(call: Call, builder: Any, checkpointer: Any, text: str, thread: str, *, stopping: bool) -> Any:
    """Run one turn to its end. A graph compiled anew goes on after each kill and, when `stopping`, after each step."""
    config = {"configurable": {"thread_id": thread}, "recursion_limit": 200}
    value: Any = {"messages": [text]}
    while True:
        graph = builder.compile(checkpointer=checkpointer, interrupt_after="*" if stopping else None)
        with contextlib.suppress(KilledError):
            out = await call(graph, value, config)
            state = await graph.aget_state(config) if call.is_async else graph.get_state(config)
            if not state.next:
                return out
        value = None


def came_of(messages: list[Any]) -> tuple[Counter[str], Counter[str]]:
    answers = [message.content for message in messages if message.type == "ai" and message.content]
    return Counter(answers), Counter(m.content for m in messages if m.type == "tool" and m.name == "look_up")


EXAMPLES = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@given(turns=st.lists(moves(2), min_size=1, max_size=3), stopping=st.booleans())
@EXAMPLES
async def test_all_that_models_choose_happens_once(call: Call, kind: str, turns: Any, stopping: bool) -> None:
    async with saver(kind, call) as checkpointer:
        agent, before = "a0", 0
        for number, turn in enumerate(turns):
            ran = Ran()
            out = await run(call, build(turn, ran), checkpointer, f"turn {number}", "t", stopping=stopping)
            should = Expected(agent, f"turn {number}", turn)
            messages = out["messages"][before:]
            assert ran.tags == should.tags
            assert came_of(messages) == (should.answers, should.tools)
            assert illegal(messages) is None
            assert not out.get("handoff_requests")
            agent, before = out.get("active_agent") or "a0", len(out["messages"])


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@given(turn=moves(2), kills=st.sets(st.integers(1, 8), min_size=1, max_size=3))
@EXAMPLES
async def test_a_kill_loses_nothing_and_hands_nothing_over_twice(call: Call, kind: str, turn: Any, kills: Any) -> None:
    async with saver(kind, call) as checkpointer:
        out = await run(call, build(turn, Ran(kills)), checkpointer, "go", "t", stopping=False)
        should = Expected("a0", "go", turn)
        assert came_of(out["messages"]) == (should.answers, should.tools)
        assert illegal(out["messages"]) is None
        assert not out.get("handoff_requests")


@given(turn=moves(3).filter(lambda plan: deepest(plan) > 1))
@EXAMPLES
async def test_the_limit_of_hops_is_exact(call: Call, turn: Any) -> None:
    hops = deepest(turn)
    await call(build(turn, Ran(), hops).compile(), {"messages": ["go"]}, {"recursion_limit": 200})
    with pytest.raises(errors.HopLimitError):
        await call(build(turn, Ran(), hops - 1).compile(), {"messages": ["go"]}, {"recursion_limit": 200})
