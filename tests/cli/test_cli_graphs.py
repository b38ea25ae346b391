"""`crux-langgraph check` and `draw`: the graph that is named, what is wrong with it, and its drawing."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOUND = """
from typing import Any
from langgraph.graph import START, StateGraph
from pydantic import BaseModel
from crux_langgraph import HandoffState, add_handoff, handoff

class Research(BaseModel):
    question: str
    findings: list[str]

class Brief(BaseModel):
    task: str

class State(HandoffState):
    found: Any

@handoff(from_agent="research", to_agent="writer", max_tokens=500)
def research_to_writer(research: Research) -> Brief:
    return Brief(task=research.question)

def build(read="found"):
    builder = StateGraph(State)
    builder.add_node("research", lambda _: {})
    builder.add_node("writer", lambda _: {})
    builder.add_edge(START, "research")
    add_handoff(builder, research_to_writer, read=read)
    return builder

builder = build()
graph = builder.compile()
number = 5

def failing():
    raise RuntimeError("no key")
"""
WARNED = SOUND.replace(
    "add_handoff(builder, research_to_writer, read=read)",
    "add_handoff(builder, research_to_writer, read=read, target=None)",
)
BROKEN = SOUND + "\nbuild(read='nothing')\n"
LATE = SOUND + "\ndef late():\n    return build(read='nothing')\n"
CROOKED = SOUND.replace(
    "graph = builder.compile()",
    "builder.add_conditional_edges('research', lambda _: 'writer', ['writer'])\ngraph = builder",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Call the command in an empty folder, whose modules are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith(("shop", "crux_langgraph_cli_graph")):
            del sys.modules[name]


@pytest.mark.parametrize("name", ["shop:graph", "shop:builder", "shop:build", "shop.py:graph"])
def test_a_sound_graph_has_no_findings(command, folder, name) -> None:
    (folder / "shop.py").write_text(SOUND)
    ran = command("check", name)
    assert (ran.code, ran.out.strip()) == (0, "Nothing is wrong with its handoffs.")


def test_an_error_is_told_with_its_code_and_its_node(command, folder) -> None:
    (folder / "shop.py").write_text(CROOKED)
    ran = command("check", "shop:graph")
    assert ran.code == 1
    assert ran.out.startswith("error: [conditional-bypass] research-to-writer: the conditional edge")


def test_a_warning_is_told_too_and_fails_the_build(command, folder) -> None:
    (folder / "shop.py").write_text(WARNED)
    ran = command("check", "shop:graph")
    assert ran.code == 1
    assert ran.out.startswith("warning: [no-receiver] research-to-writer: no edge leads on")


def test_the_document_holds_every_finding(command, folder) -> None:
    (folder / "shop.py").write_text(WARNED)
    ran = command("check", "shop:graph", "--json")
    assert ran.code == 1
    (finding,) = ran.document["findings"]
    assert (ran.document["graph"], finding["code"], finding["level"], finding["node"]) == (
        "shop:graph",
        "no-receiver",
        "warning",
        "research-to-writer",
    )


def test_the_document_of_a_sound_graph_is_empty(command, folder) -> None:
    (folder / "shop.py").write_text(SOUND)
    ran = command("check", "shop:graph", "--json")
    assert (ran.code, ran.document["findings"]) == (0, [])


@pytest.mark.parametrize("source, name", [(BROKEN, "shop:graph"), (BROKEN, "shop.py:graph"), (LATE, "shop:late")])
def test_a_graph_that_cannot_be_built_is_told_by_its_findings(command, folder, source, name) -> None:
    (folder / "shop.py").write_text(source)
    ran = command("check", name)
    assert ran.code == 1
    assert ran.out.startswith("error: [missing-key] research-to-writer: it reads the state key 'nothing'")


@pytest.mark.parametrize("what", ["check", "draw"])
@pytest.mark.parametrize(
    "name, told",
    [
        ("shop", "give module:graph"),
        (":graph", "give module:graph"),
        ("nowhere:graph", "ModuleNotFoundError: No module named 'nowhere'"),
        ("nowhere.py:graph", "FileNotFoundError"),
        ("shop:nothing", "shop has nothing named nothing"),
        ("shop:number", "it is a int; name a StateGraph"),
        ("shop:Brief", "ValidationError"),
        ("shop:failing", "RuntimeError: no key; name a graph, or a function without arguments"),
    ],
)
def test_what_is_no_graph_is_one_line(command, folder, what, name, told) -> None:
    (folder / "shop.py").write_text(SOUND)
    ran = command(what, name)
    assert ran.code == 2
    assert told in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_folder_that_is_looked_in_already_is_not_named_twice(command, folder) -> None:
    (folder / "shop.py").write_text(SOUND)
    assert [command("check", "shop:graph").code for _ in range(2)] == [0, 0]
    assert sys.path.count(str(folder)) == 1


def test_a_folder_is_no_module(command, folder) -> None:
    (folder / "empty.py").mkdir()
    assert command("check", "empty.py:graph").code == 2


@pytest.mark.parametrize("name", ["shop:graph", "shop:builder"])
def test_the_drawing_carries_the_models_of_each_handoff(command, folder, name) -> None:
    (folder / "shop.py").write_text(SOUND)
    ran = command("draw", name)
    assert ran.code == 0
    assert "takes = Research with question, findings" in ran.out
    assert "gives = Brief with task" in ran.out
    assert "max_tokens = 500" in ran.out
    assert "research --> research-to-writer;" in ran.out


def test_a_handoff_without_a_budget_is_drawn_without_one(command, folder) -> None:
    (folder / "shop.py").write_text(SOUND.replace(", max_tokens=500", ""))
    assert "max_tokens" not in command("draw", "shop:graph").out


def test_a_graph_that_cannot_be_built_is_not_drawn(command, folder) -> None:
    (folder / "shop.py").write_text(CROOKED)
    ran = command("draw", "shop:graph")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: [conditional-bypass]")
