"""Finding the graph that a person names as `module:name`, and what `check` and `draw` tell of it."""

import importlib
import json
import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from langgraph.graph import StateGraph

from crux_langgraph import Handoff, check
from crux_langgraph.cli._plain import one_line, plain
from crux_langgraph.cli._stopping import StopError
from crux_langgraph.errors import Finding, WiringError
from crux_langgraph.graph import placements_of

_MODULE = "crux_langgraph_cli_graph"


def findings_of(name: str) -> list[Finding]:
    """Give what is wrong with the graph `module:name`, also where it is so wrong that its module cannot be imported.

    Raises `StopError` when there is no such graph.
    """
    try:
        return list(check(load(name)))
    except WiringError as error:
        return list(error.findings)


def drawing_of(name: str) -> str:
    """Give the graph `module:name` as Mermaid, each handoff with its models. Raises `StopError`, and `WiringError`."""
    graph = load(name)
    compiled = graph if hasattr(graph, "builder") else graph.compile()
    handoffs = {placement.name: placement.handoff for placement in placements_of(compiled.builder)}
    drawn = compiled.get_graph()
    for node_id, node in drawn.nodes.items():
        if node_id in handoffs:
            drawn.nodes[node_id] = node._replace(metadata=_described(handoffs[node_id]))
    return str(drawn.draw_mermaid())


def told(findings: Iterable[Finding]) -> str:
    """Give findings for a person, one on a line."""
    lines = [f"{finding.level}: {plain(str(finding))}" for finding in findings]
    return "\n".join(lines) if lines else "Nothing is wrong with its handoffs."


def report(name: str, findings: Iterable[Finding]) -> str:
    """Give findings as one JSON document."""
    return json.dumps({"graph": name, "findings": [finding._asdict() for finding in findings]}, indent=2)


def load(name: str) -> Any:
    """Give the graph, compiled or not, that `module:name` or `file.py:name` names, or that a function there makes."""
    where, _, attribute = name.rpartition(":")
    if not where or not attribute:
        raise StopError(where=name, found="give module:graph or file.py:graph, for example my_app.graphs:desk")
    module = _module(name, where)
    if not hasattr(module, attribute):
        raise StopError(where=name, found=f"{where} has nothing named {attribute}")
    found = getattr(module, attribute)
    if callable(found) and not _is_graph(found):
        found = _made(name, found)
    if not _is_graph(found):
        raise StopError(
            where=name, found=f"it is a {type(found).__name__}", fix="name a StateGraph or a compiled graph"
        )
    return found


def _is_graph(found: Any) -> bool:
    return isinstance(found, StateGraph) or isinstance(getattr(found, "builder", None), StateGraph)


def _module(name: str, where: str) -> ModuleType:
    # As `python -m` does it: a module of the folder that the command is called in is found.
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return _of_file(Path(where)) if where.endswith(".py") else importlib.import_module(where)
    except WiringError:
        raise
    except Exception as error:
        raise StopError(where=name, found=_reason(error)) from error


def _of_file(path: Path) -> ModuleType:
    loader = SourceFileLoader(_MODULE, str(path))
    module = module_from_spec(ModuleSpec(_MODULE, loader, origin=str(path)))
    sys.modules[_MODULE] = module  # annotations of models in it are looked up there
    loader.exec_module(module)
    return module


def _made(name: str, make: Any) -> Any:
    try:
        return make()
    except WiringError:
        raise
    except Exception as error:
        raise StopError(
            where=name, found=_reason(error), fix="name a graph, or a function without arguments"
        ) from error


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {one_line(str(error))}"


def _described(handoff: Handoff[Any, Any]) -> dict[str, str]:
    limit = {"max_tokens": str(handoff.max_tokens)} if handoff.max_tokens else {}
    return {"takes": _model(handoff.input_schema), "gives": _model(handoff.output_schema), **limit}


def _model(model: type[Any]) -> str:
    return f"{model.__name__} with {', '.join(model.model_fields)}"
