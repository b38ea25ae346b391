"""A `TraceReport` hears every run of the graphs it is attached to, breaks none, and keeps no more than it shows."""

import asyncio
import operator
import threading
from contextvars import copy_context
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel
from support import BAD, GOOD, Call, Research, ScriptedModel, State, make, two_agents
from typing_extensions import TypedDict

from crux_langgraph import Private, delegate, errors, handoff
from crux_langgraph.instrumentation import TraceReport, recorded
from crux_langgraph.instrumentation._errors import recorded_error
from crux_langgraph.instrumentation._report import MOST_RUNS

SECRET = "tok_5e3a9c71"
USED = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}


class Account(BaseModel):
    owner: str
    token: Annotated[str, Private()]


@handoff(id="a-to-b", from_agent="a", to_agent="b")
def to_support(account: Account) -> Account:
    """Help the owner."""
    return account


def in_a_node(body: Any, schema: Any = State, **options: Any) -> Any:
    builder: Any = StateGraph(schema)
    builder.add_node("n", body)
    builder.add_edge(START, "n")
    return builder.compile(**options)


def config(report: TraceReport) -> dict[str, Any]:
    return {"callbacks": [report], "configurable": {"thread_id": "1"}}


async def test_the_runs_of_a_graph_are_kept_as_a_tree(call: Call) -> None:
    report = TraceReport()
    await call(two_agents(make()).compile(), {}, config(report))
    assert report.outline() == "LangGraph\n  a\n  a-to-b\n    handoff:prepare\n  b"
    assert {run.status for run in report.runs} == {"done"}


async def test_a_stream_is_heard_as_well(call: Call) -> None:
    report = TraceReport()
    await call.stream(two_agents(make()).compile(), {}, config(report))
    assert report.outline() == "LangGraph\n  a\n  a-to-b\n    handoff:prepare\n  b"


async def test_what_went_wrong_is_kept_and_the_error_reaches_the_caller(call: Call) -> None:
    report = TraceReport()
    with pytest.raises(errors.InputError):
        await call(two_agents(make(), found=BAD).compile(), {}, config(report))
    assert [(run.name, run.status) for run in report.runs if run.status != "done"] == [
        ("LangGraph", "failed"),
        ("a-to-b", "failed"),
        ("handoff:prepare", "failed"),
    ]
    assert str(report.runs[-1].problem).startswith("InputError: handoff 'a-to-b' (layer: input)")


class Broken(ScriptedModel):
    """A model that is never reached."""

    def _generate(self, *args: Any, **kwargs: Any) -> Any:
        raise LookupError


class Empty(BaseRetriever):
    """A retriever without an index."""

    def _get_relevant_documents(self, query: str, **_: Any) -> Any:
        raise LookupError


@tool
def stuck(query: str) -> str:
    """Get stuck."""
    raise LookupError


@pytest.mark.parametrize(
    "broken, kind",
    [(Broken(replies=[]), "chat_model"), (Empty(), "retriever"), (stuck, "tool")],
    ids=["model", "retriever", "tool"],
)
async def test_failures_of_models_tools_and_retrievers_are_told(call: Call, broken: Any, kind: str) -> None:
    report = TraceReport()
    with pytest.raises(LookupError):
        await call(broken, "hello", config(report))
    assert [(run.kind, run.status, run.problem) for run in report.runs] == [(kind, "failed", "LookupError")]


def test_a_foreign_error_in_our_own_run_is_told_by_its_type() -> None:
    report = TraceReport()
    run = report.on_chain_start({}, {}, run_id=uuid4(), name="handoff:send")
    report.on_chain_error(recorded_error(ValueError(SECRET)), run_id=run.id)
    assert report.runs[0].problem == "ValueError"
    assert SECRET not in report.html()


async def test_an_interrupt_is_told_from_a_failure(call: Call) -> None:
    report = TraceReport()
    graph = in_a_node(lambda _: {"seen": interrupt("go on?")}, checkpointer=InMemorySaver())
    await call(graph, {}, config(report))
    await call(graph, Command(resume="yes"), config(report))
    assert [run.status for run in report.runs] == ["done", "interrupted", "done", "done"]


async def test_a_command_to_the_parent_graph_is_told_from_a_failure(call: Call) -> None:
    inner = in_a_node(lambda _: Command(graph=Command.PARENT, goto="after"))
    builder: Any = StateGraph(State)
    builder.add_node("inner", inner)
    builder.add_node("after", lambda _: {})
    builder.add_edge(START, "inner")
    report = TraceReport()
    await call(builder.compile(), {}, config(report))
    statuses = {(run.name, run.status) for run in report.runs}
    assert ("n", "parent_command") in statuses
    assert ("after", "done") in statuses
    assert "failed" not in {status for _, status in statuses}


async def test_a_cancelled_run_is_told_from_a_failure() -> None:
    async def hang(_: Any) -> None:
        await asyncio.sleep(60)

    report = TraceReport()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(in_a_node(hang).ainvoke({}, config(report)), 0.05)
    assert {run.status for run in report.runs} == {"cancelled"}


async def test_two_hundred_parallel_branches_stand_below_their_own_nodes(call: Call) -> None:
    class Many(TypedDict):
        done: Annotated[list[int], operator.add]

    async def work(_: Any) -> Any:
        await to_brief_each()
        return {"done": [1]}

    async def to_brief_each() -> None:
        await call.prepare(make(), GOOD)

    def work_blocking(_: Any) -> Any:
        make().prepare(GOOD)
        return {"done": [1]}

    builder: Any = StateGraph(Many)
    builder.add_node("work", work if call.is_async else work_blocking)
    builder.add_conditional_edges(START, lambda _: [Send("work", {}) for _ in range(200)], ["work"])
    report = TraceReport()
    await call(builder.compile(), {"done": []}, config(report))
    branches = [run for run in report.roots[0].children if run.name == "work"]
    assert len(branches) == 200
    assert all([child.name for child in branch.children] == ["handoff:prepare"] for branch in branches)
    assert report.html().count('class="card"') == 200


def test_threads_with_a_copied_context_are_heard() -> None:
    def work(_: Any) -> Any:
        threads = [threading.Thread(target=copy_context().run, args=(make().prepare, GOOD)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {}

    report = TraceReport()
    in_a_node(work).invoke({}, config(report))
    assert report.outline() == "LangGraph\n  n" + 4 * "\n    handoff:prepare"


async def test_the_tokens_of_models_are_kept_though_their_answers_are_not(call: Call) -> None:
    model = ScriptedModel(replies=[AIMessage("hi " * 4_000, usage_metadata=USED)])
    report = TraceReport(view_bytes=256)
    await call(in_a_node(lambda _: {"seen": model.invoke([HumanMessage("hello")]).text}), {}, config(report))
    [run] = [run for run in report.runs if run.kind == "chat_model"]
    assert run.model_tokens == report.roots[0].model_tokens == 7
    assert len(repr(run.outputs)) < 600


async def test_a_message_shows_what_it_says_and_none_of_its_noise(call: Call) -> None:
    model = ScriptedModel(replies=[AIMessage("hi", usage_metadata=USED)])
    report = TraceReport()
    await call(in_a_node(lambda _: {"seen": model.invoke("hello")}), {}, config(report))
    [run] = [run for run in report.runs if run.kind == "chat_model"]
    assert run.inputs == {"messages": [[{"type": "human", "content": "hello"}]]}
    assert run.outputs == {"generations": [[{"type": "ai", "content": "hi", "usage_metadata": USED}]]}
    assert report.roots[0].outputs["seen"] == {"type": "ai", "content": "hi", "usage_metadata": USED}


async def test_state_that_changes_later_is_shown_as_it_was(call: Call) -> None:
    mine = {"findings": ["one"]}

    def change(state: Any) -> Any:
        state["found"]["findings"].append("two")
        return {"seen": state["found"]}

    report = TraceReport()
    await call(in_a_node(change), {"found": mine}, config(report))
    assert report.roots[0].inputs == {"found": {"findings": ["one"]}}
    assert report.roots[0].outputs["seen"] == {"findings": ["one", "two"]}


async def test_what_it_keeps_of_a_run_is_capped(call: Call) -> None:
    report = TraceReport(view_bytes=2_000)
    with recorded(attachments=True):
        await call(
            two_agents(make(), found={"question": "Why?", "findings": ["x" * 2_000_000]}).compile(), {}, config(report)
        )
    assert all(len(repr([run.inputs, run.outputs])) < 10_000 for run in report.runs)
    assert not any(run.run.attachments for run in report.runs)
    assert len(report.html()) < 100_000


async def test_a_handoffs_own_view_is_not_cut_a_second_time(call: Call) -> None:
    long = {"question": "Why?", "findings": [f"Finding {number} of many" for number in range(900)]}
    report = TraceReport()
    await call(two_agents(make(max_tokens=300), found=long).compile(), {}, config(report))
    [run] = report.find("handoff:prepare")
    assert run.outputs["payload"]["facts"] == long["findings"]
    assert {part["path"]: part["tier"] for part in run.outputs["parts"]} == {"task": "compact", "facts": "extract"}


class Breaking:
    """A value that cannot be looked at."""

    @property
    def __class__(self) -> Any:
        raise ZeroDivisionError


async def test_a_value_that_cannot_be_looked_at_breaks_nothing(call: Call, caplog: pytest.LogCaptureFixture) -> None:
    report = TraceReport()
    await call(in_a_node(lambda _: {"seen": Breaking()}), {}, config(report))
    assert report.roots[0].outputs == {"crux": "[not recorded: ZeroDivisionError while it was read]"}
    assert caplog.text == ""


def test_a_report_that_is_attached_in_the_middle_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    from langchain_core.runnables import RunnableConfig

    report = TraceReport()

    def attach(_: Any, config: RunnableConfig) -> Any:
        callbacks: Any = config["callbacks"]
        callbacks.add_handler(report)
        make().prepare(GOOD)
        return {}

    in_a_node(attach).invoke({}, {"callbacks": []})
    assert [run.name for run in report.roots] == ["handoff:prepare"]
    assert "handoff:prepare" in report.html()


def test_runs_that_have_not_ended_are_shown_as_running() -> None:
    pages: list[str] = []
    report = TraceReport()
    in_a_node(lambda _: pages.append(report.html())).invoke({}, config(report))
    assert "2 still running" in pages[0]
    assert pages[0].count('class="state running"') == 2
    assert "still running" not in report.html()


async def test_of_too_many_runs_the_later_are_kept_without_what_they_were_given(call: Call) -> None:
    report = TraceReport()
    graph = in_a_node(lambda _: {"seen": "it"})
    for _ in range(MOST_RUNS // 2 + 1):
        graph.invoke({"found": "this"}, config(report))
    first, last = report.roots[0], report.roots[-1]
    assert first.inputs == {"found": "this"}
    assert last.inputs == last.outputs == {"…": "not kept: no page shows so many runs"}
    assert "2 more runs are not shown." in report.html()


@pytest.fixture
def protected(request: pytest.FixtureRequest) -> TraceReport:
    return request.param()


def leaks(_: Any) -> Any:
    message = f"no such token: {SECRET}"
    raise LookupError(message)


COVERED = {
    "by a handoff": lambda: TraceReport(to_support),
    "by a model": lambda: TraceReport(Account),
    "by a name": lambda: TraceReport(keys=["token"]),
}


@pytest.mark.parametrize("protected", COVERED.values(), ids=COVERED, indirect=True)
async def test_protected_fields_are_masked_in_every_run(call: Call, protected: TraceReport) -> None:
    await call(two_agents(to_support, found={"owner": "Ada", "token": SECRET}).compile(), {}, config(protected))
    with pytest.raises(LookupError):
        await call(in_a_node(leaks), {"found": Account(owner="Ada", token=SECRET)}, config(protected))
    page = protected.html()
    assert protected.masked == ("token",)
    assert "Ada" in page
    assert SECRET not in page
    assert "Everywhere masked: what stands under token" in page
    assert "LookupError" in page


async def test_our_own_runs_mask_without_being_asked(call: Call) -> None:
    report = TraceReport()
    await call(two_agents(to_support, found={"owner": "Ada", "token": SECRET}).compile(), {}, config(report))
    [run] = report.find("handoff:prepare")
    assert run.inputs == {"input": {"owner": "Ada", "token": "[private]"}}
    assert SECRET not in repr(report.find("a-to-b"))
    assert "show the state as LangGraph keeps it" in report.html()


async def test_a_delegates_runs_and_its_failure_are_heard(call: Call) -> None:
    @delegate(handoff=make())
    def research(query: str) -> Research:
        """Research."""
        raise OSError(query)

    @tool
    async def asks(query: str) -> str:
        """Ask."""
        with pytest.raises(errors.SubagentError):
            await call.run(research, {"query": query})
        return "asked"

    report = TraceReport()
    await asks.ainvoke({"query": "q"}, config(report))
    assert [(run.name, run.status) for run in report.runs] == [
        ("asks", "done"),
        ("delegate:start", "done"),
        ("delegate:complete", "failed"),
    ]


def test_too_few_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"TraceReport\(view_bytes=1\): give at least 256 bytes"):
        TraceReport(view_bytes=1)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    report = TraceReport()
    two_agents(make()).compile().invoke({}, config(report))
    return report.write(str(tmp_path / "run.html"))


def test_it_writes_one_file_with_everything_in_it(written: Path) -> None:
    page = written.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert page.count("<html") == page.count("</html>") == 1
    assert "Why?" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_folders_of_the_file_are_made(tmp_path: Path) -> None:
    written = TraceReport().write(tmp_path / "runs" / "today" / "run.html")
    assert written.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_notebook_shows_the_page_in_a_frame_without_rights() -> None:
    report = TraceReport()
    make().prepare(GOOD)
    shown = report._repr_html_()
    assert shown.startswith('<iframe srcdoc="&lt;!doctype html&gt;')
    assert " sandbox " in shown
    assert "Runs of nothing yet" in shown
