"""Each handoff and each delegate is a run that every LangChain callback handler sees, with one end for each start."""

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Annotated, Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import ParentCommand
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel
from support import BAD, GOOD, Brief, Call, Research, ScriptedModel, State, make, to_brief, two_agents
from watching import Seen, listened

from crux_langgraph import HandoffNode, Private, delegate, errors, handoff
from crux_langgraph.instrumentation import _listening, recorded
from crux_langgraph.instrumentation._errors import RecordedError


def raising(error: BaseException) -> Any:
    def transform(research: Research) -> Brief:
        raise error

    return handoff(id="a-to-b", from_agent="a", to_agent="b")(transform)


async def test_a_handoff_shows_what_came_in_and_what_went_out(call: Call, seen: Seen) -> None:
    await call(two_agents(make(max_tokens=500)).compile(), {}, {"callbacks": [seen]})
    [(name, outputs)] = seen.ours()
    assert name == "handoff:prepare"
    assert seen.told(name)["inputs"] == {"input": GOOD}
    assert outputs["payload"] == {"task": "Why?", "facts": ["one", "two"]}
    facts = outputs["crux"]
    assert facts["crux_handoff_id"] == "a-to-b"
    assert (facts["crux_from_agent"], facts["crux_to_agent"], facts["crux_mode"]) == ("a", "b", "transfer")
    assert facts["crux_payload_id"].startswith("ho-")
    assert facts["crux_input_bytes"] == len('{"question":"Why?","findings":["one","two"]}')
    assert facts["crux_output_tokens"] <= 500
    assert facts["crux_ratio"] == round(facts["crux_output_tokens"] / facts["crux_input_tokens"], 4)
    assert (facts["crux_tier"], facts["crux_model_calls"]) == ("verbatim", 0)
    assert facts["crux_duration_s"] > 0


async def test_a_handoff_that_names_no_agents_says_nothing_of_them(call: Call, seen: Seen) -> None:
    await call(
        two_agents(make(from_agent=None, to_agent=None), source="a", target="b").compile(), {}, {"callbacks": [seen]}
    )
    [(_, outputs)] = seen.ours()
    assert not {"crux_from_agent", "crux_to_agent"} & outputs["crux"].keys()


async def test_what_the_transform_runs_hangs_below_the_handoff(call: Call, seen: Seen) -> None:
    model = ScriptedModel(replies=["hello"])
    parents: list[Any] = []

    class Hears(Seen):
        def on_chat_model_start(self, *_: Any, parent_run_id: Any, **__: Any) -> None:
            parents.append(parent_run_id)

    def transform(research: Research) -> Brief:
        model.invoke("hi")
        return to_brief(research)

    hears = Hears()
    await call(
        two_agents(handoff(id="a-to-b")(transform), source="a", target="b").compile(), {}, {"callbacks": [hears]}
    )
    [run_id] = [key for key, told in hears.started.items() if told["name"] == "handoff:prepare"]
    assert parents == [run_id]


async def test_a_refused_input_leaves_a_run_that_shows_none_of_it(call: Call, seen: Seen) -> None:
    with pytest.raises(errors.InputError):
        await call(two_agents(make(), found=BAD).compile(), {}, {"callbacks": [seen]})
    [(_, error)] = seen.ours()
    assert isinstance(error, errors.InputError)
    assert seen.told("handoff:prepare")["inputs"] == {}


async def test_an_error_is_recorded_without_what_the_users_own_code_said(call: Call, seen: Seen) -> None:
    with pytest.raises(errors.TransformError):
        await call(two_agents(raising(ValueError("tok_1"))).compile(), {}, {"callbacks": [seen]})
    [(_, error)] = seen.ours()
    assert isinstance(error, errors.TransformError)
    assert (error.__cause__, error.__context__, error.__traceback__, error.original) == (None, None, None, None)
    assert "tok_1" not in str(error)


async def test_an_interrupt_is_no_error(call: Call, seen: Seen) -> None:
    def transform(research: Research) -> Brief:
        return Brief(task=interrupt("which?"))

    graph = two_agents(handoff(id="a-to-b", from_agent="a", to_agent="b")(transform)).compile(InMemorySaver())
    config = {"callbacks": [seen], "configurable": {"thread_id": "t"}}
    await call(graph, {}, config)
    await call(graph, Command(resume="this"), config)
    (_, first), (_, second) = seen.ours()
    assert first["crux"]["crux_status"] == "interrupted"
    assert second["payload"] == {"task": "this", "facts": []}


async def test_a_parent_command_is_no_error(call: Call, seen: Seen) -> None:
    contract = raising(ParentCommand(Command(graph=Command.PARENT, goto="x")))
    with pytest.raises(ParentCommand):
        await call(two_agents(contract).compile(), {}, {"callbacks": [seen]})
    [(_, outputs)] = seen.ours()
    assert outputs["crux"]["crux_status"] == "parent_command"


async def test_a_cancelled_handoff_ends_its_run(seen: Seen) -> None:
    begun = asyncio.Event()

    async def transform(research: Research) -> Brief:
        begun.set()
        await asyncio.sleep(10)
        return to_brief(research)

    contract = handoff(id="a-to-b", from_agent="a", to_agent="b")(transform)
    task = asyncio.create_task(two_agents(contract).compile().ainvoke({}, {"callbacks": [seen]}))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    [(_, error)] = seen.ours()
    assert isinstance(error, asyncio.CancelledError)


async def test_a_handoff_cancelled_while_a_listener_hears_of_its_start_still_ends(seen: Seen) -> None:
    hearing = asyncio.Event()

    class Slow(AsyncCallbackHandler):
        async def on_chain_start(self, serialized: Any, inputs: Any, **told: Any) -> None:
            if told["name"] == "handoff:prepare":
                hearing.set()
                await asyncio.sleep(0.1)
            seen.on_chain_start(serialized, inputs, **told)

        async def on_chain_error(self, error: BaseException, **told: Any) -> None:
            seen.on_chain_error(error, **told)

    task = asyncio.create_task(two_agents(make()).compile().ainvoke({}, {"callbacks": [Slow()]}))
    await hearing.wait()
    task.cancel()
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    [(_, error)] = seen.ours()
    assert isinstance(error, asyncio.CancelledError)


async def test_an_end_that_is_nobodys_error_is_recorded_by_its_type(seen: Seen) -> None:
    with pytest.raises(KeyboardInterrupt):
        two_agents(raising(KeyboardInterrupt("tok_1"))).compile().invoke({}, {"callbacks": [seen]})
    [(_, error)] = seen.ours()
    assert isinstance(error, RecordedError)
    assert str(error) == "KeyboardInterrupt"


async def test_a_handoff_alone_is_a_run_too(call: Call, traced_here: Seen) -> None:
    payload = await call.prepare(make(), GOOD)
    [(_, outputs)] = traced_here.ours()
    assert outputs["crux"]["crux_payload_id"] == payload.id


@pytest.fixture
def traced_here() -> Any:
    """A handler that listens by a context variable, as `collect_runs` does."""
    from contextvars import ContextVar

    from langchain_core.tracers import context

    variable: ContextVar[Any] = ContextVar("traced_here", default=None)
    context.register_configure_hook(variable, inheritable=True)
    heard = Seen()
    token = variable.set(heard)
    yield heard
    variable.reset(token)
    context._configure_hooks.pop()


async def test_events_of_the_graph_tell_of_it(seen: Seen) -> None:
    graph = two_agents(make()).compile()
    events = [event async for event in graph.astream_events({}, version="v2") if event["name"] == "handoff:prepare"]
    assert [event["event"] for event in events] == ["on_chain_start", "on_chain_end"]
    assert events[0]["data"]["input"] == {"input": GOOD}
    assert events[1]["data"]["output"]["crux"]["crux_tier"] == "verbatim"


async def test_the_custom_stream_tells_of_it_where_that_is_asked_for(call: Call) -> None:
    graph = two_agents(make()).compile()
    assert await call.stream(graph, {}, stream_mode="custom") == []
    with recorded(stream=True):
        start, end = await call.stream(graph, {}, stream_mode="custom")
    assert (start["crux"], start["event"], start["data"]) == ("handoff:prepare", "start", {"input": GOOD})
    assert (end["event"], end["run_id"]) == ("end", start["run_id"])
    assert end["data"]["crux"]["crux_tier"] == "verbatim"
    assert "crux_tier" not in start["metadata"]


async def test_the_custom_stream_tells_of_an_error() -> None:
    told: list[Any] = []
    chunks = two_agents(make(), found=BAD).compile().stream({}, stream_mode="custom")
    with recorded(stream=True), pytest.raises(errors.InputError):
        told.extend(chunks)
    assert [chunk["event"] for chunk in told] == ["start", "error"]
    assert told[1]["data"]["crux"]["crux_layer"] == "input"


async def test_a_graph_that_nobody_watches_pays_for_no_view(call: Call) -> None:
    class Dear(BaseModel):
        text: str

    contract: Any = handoff(id="dear")(lambda_model(Dear))
    contract._input.shown = contract._output.shown = _refuse
    assert (await call.prepare(contract, {"text": "x"})).data == Dear(text="x")


def _refuse(_: Any) -> Any:
    raise AssertionError


def lambda_model(model: Any) -> Any:
    def same(value: model) -> model:
        return value

    return same


async def test_a_private_field_is_masked(call: Call, seen: Seen) -> None:
    class Secretive(BaseModel):
        question: str
        token: Annotated[str, Private()]

    contract = handoff(id="a-to-b", from_agent="a", to_agent="b")(lambda_model(Secretive))
    found = {"question": "Why?", "token": "tok_1"}
    await call(two_agents(contract, found=found).compile(), {}, {"callbacks": [seen]})
    [(_, outputs)] = seen.ours()
    assert seen.told("handoff:prepare")["inputs"]["input"] == {"question": "Why?", "token": "[private]"}
    assert "tok_1" not in repr(outputs)


async def test_a_long_input_is_shown_by_head_and_tail(call: Call, seen: Seen) -> None:
    found = {"question": "Why?" * 50_000, "findings": ["one"]}
    with recorded(view_bytes=1_000):
        await call(two_agents(make(), found=found).compile(), {}, {"callbacks": [seen]})
    shown = seen.told("handoff:prepare")["inputs"]["input"]
    assert shown["question"].startswith("Why?Why?")
    assert "200,000 characters, sha256 " in shown["question"]
    assert shown["question"].endswith("Why?")
    assert shown["findings"] == ["one"]


async def test_a_view_that_fails_is_recorded_as_that(call: Call, seen: Seen) -> None:
    contract = make()
    contract._input.shown = _refuse
    await call(two_agents(contract).compile(), {}, {"callbacks": [seen]})
    [(_, outputs)] = seen.ours()
    assert seen.told("handoff:prepare")["inputs"] == {"input": "[not shown: AssertionError while it was written]"}
    assert outputs["crux"]["crux_input_tokens"] > 0


async def test_facts_that_cannot_be_counted_are_recorded_as_that(call: Call, seen: Seen) -> None:
    def counter(_: str) -> int:
        raise ZeroDivisionError

    contract = make()
    contract.counter = counter
    await call(two_agents(contract).compile(), {}, {"callbacks": [seen]})
    [(_, outputs)] = seen.ours()
    assert outputs["crux"]["crux_facts"] == "not counted: ZeroDivisionError"


@pytest.mark.parametrize("event", ["on_chain_start", "on_chain_end", "on_chain_error"])
async def test_a_listener_that_insists_on_its_errors_breaks_no_handoff(call: Call, seen: Seen, event: str) -> None:
    class Broken(Seen):
        raise_error = True

        def insist(self, *_: Any, **told: Any) -> None:
            # Only where we are heard: LangGraph itself lets it break the graph.
            if self.started.get(told["run_id"], told).get("name") == "handoff:prepare":
                message = "broken"
                raise ZeroDivisionError(message)

    broken = Broken()

    def fail(*args: Any, **told: Any) -> None:
        getattr(Seen, event)(broken, *args, **told)
        broken.insist(**told)

    setattr(broken, event, fail)
    found = BAD if event == "on_chain_error" else GOOD
    graph = two_agents(make(), found=found).compile()
    if found is BAD:
        with pytest.raises(errors.InputError):
            await call(graph, {}, {"callbacks": [broken, seen]})
    else:
        await call(graph, {}, {"callbacks": [broken, seen]})
    [(_, ending)] = seen.ours()
    assert ending is not None


def delegated(subagent: Any = None, **options: Any) -> Any:
    def research(query: str) -> Research:
        """Research a topic."""
        return Research(question=query) if subagent is None else subagent(query)

    return delegate(handoff=make(), **options)(research)


async def test_a_delegate_leaves_a_run_before_and_one_after_its_subagent(call: Call, traced_here: Seen) -> None:
    result = await call.run(delegated(), {"query": "Why?"})
    assert [name for name, _ in traced_here.ours()] == [
        "research",
        "delegate:start",
        "handoff:prepare",
        "delegate:complete",
    ]
    outputs = dict(traced_here.ours())
    assert traced_here.told("delegate:start")["inputs"] == {"arguments": {"query": "Why?"}}
    assert outputs["delegate:complete"]["crux"]["crux_duration_s"] == result.duration_s
    assert outputs["research"]["payload"] == outputs["delegate:complete"]["payload"] == {"task": "Why?", "facts": []}
    assert outputs["handoff:prepare"]["crux"]["crux_mode"] == "await"
    assert {told["metadata"].get("crux_delegate_id") for told in traced_here.started.values()} == {"research", None}


async def test_wrong_arguments_leave_a_run_too(call: Call, traced_here: Seen) -> None:
    with pytest.raises(errors.ArgumentsError):
        await call.run(delegated(), {})
    [(name, error)] = traced_here.ours()
    assert (name, type(error)) == ("delegate:start", errors.ArgumentsError)


async def test_a_failing_subagent_fails_the_run_after_it(call: Call, traced_here: Seen) -> None:
    def fails(_: str) -> Any:
        message = "tok_1"
        raise ValueError(message)

    with pytest.raises(errors.SubagentError):
        await call.run(delegated(fails), {"query": "Why?"})
    endings = dict(traced_here.ours())
    assert isinstance(endings["delegate:start"], dict)
    assert isinstance(endings["delegate:complete"], errors.SubagentError)
    assert "tok_1" not in repr(endings)


class Turning(Seen):
    """Listens, and at one event breaks and from then on wants its errors raised."""

    def __init__(self, event: str) -> None:
        super().__init__()
        self.event = event

    def on_chain_start(self, *args: Any, **told: Any) -> None:
        super().on_chain_start(*args, **told)
        self.turn("start")

    def finish(self, run_id: Any, value: Any) -> None:
        super().finish(run_id, value)
        self.turn("end")

    def turn(self, event: str) -> None:
        if event == self.event:
            self.raise_error = True
            raise ZeroDivisionError(GOOD["question"])


@pytest.mark.parametrize("event", ["start", "end"])
async def test_a_listener_that_comes_to_insist_on_its_errors_is_logged_by_their_type(
    call: Call, caplog: pytest.LogCaptureFixture, event: str
) -> None:
    with listened(Turning(event)):
        assert (await call.prepare(make(), GOOD)).data == to_brief(Research(**GOOD))
    logged = [record.getMessage() for record in caplog.records if record.name == "crux_langgraph"]
    assert logged == [f"A listener failed at on_chain_{event}: ZeroDivisionError"]


async def test_who_failed_at_a_start_is_told_its_one_end_as_langchain_tells_it(call: Call) -> None:
    turning, other = Turning("start"), Seen()
    with listened(turning, other):
        await call.prepare(make(), GOOD)
    for heard in (turning, other):
        assert (len(heard.started), heard.twice) == (1, [])
        assert heard.ended.keys() == heard.started.keys()


@pytest.mark.parametrize("found", [GOOD, BAD], ids=["success", "failure"])
async def test_a_handoff_crosses_untold_where_langchain_refuses_to_configure(
    call: Call, traced_here: Seen, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, found: Any
) -> None:
    monkeypatch.setenv("LANGCHAIN_TRACING", "true")  # the first kind of tracing, which is no longer supported
    if found is BAD:
        with pytest.raises(errors.InputError):
            await call.prepare(make(), found)
    else:
        assert (await call.prepare(make(), found)).data == to_brief(Research(**GOOD))
    assert traced_here.started == {}
    assert [record.getMessage() for record in caplog.records] == ["A listener failed at handoff:prepare: RuntimeError"]


async def test_a_context_variables_listener_is_heard_where_core_lists_none(
    call: Call, traced_here: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_listening, "_HOOKS", None)
    await call.prepare(make(), GOOD)
    assert [name for name, _ in traced_here.ours()] == ["handoff:prepare"]


async def test_a_handoff_node_that_a_node_of_the_users_calls_is_heard(call: Call, seen: Seen) -> None:
    node = HandoffNode(make(), read="found")

    async def acalls(_: State) -> Any:
        return await node.ainvoke({"found": GOOD})

    builder: Any = StateGraph(State)
    builder.add_node("a", acalls if call.is_async else lambda _: node.invoke({"found": GOOD}))
    builder.add_edge(START, "a")
    await call(builder.compile(), {}, {"callbacks": [seen]})
    assert [name for name, _ in seen.ours()] == ["handoff:prepare"]


async def test_outside_of_a_graph_a_handoff_that_was_to_tell_a_stream_crosses_too(call: Call) -> None:
    with recorded(stream=True):
        assert (await call.prepare(make(), GOOD)).data == to_brief(Research(**GOOD))


def test_a_handoff_that_outlives_its_stream_crosses_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    crossing: list[Callable[[], Any]] = []

    async def node(_: State) -> dict[str, Any]:
        crossing.append(partial(copy_context().run, make().prepare, GOOD))
        return {}

    async def whole() -> list[Any]:
        graph = StateGraph(State).add_node("n", node).add_edge(START, "n").compile()
        return [chunk async for chunk in graph.astream({}, stream_mode="custom")]

    with recorded(stream=True), asyncio.Runner() as runner:
        assert runner.run(whole()) == []
    assert crossing[0]().data == to_brief(Research(**GOOD))
    assert [record.getMessage() for record in caplog.records if record.name == "crux_langgraph"] == [
        "A listener failed at handoff:prepare: RuntimeError"
    ] * 2
