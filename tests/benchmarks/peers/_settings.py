"""Whom we measure: this package and its peers, a peer in several settings where they differ."""

import ast
import tokenize
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from ._team import Team

_NOTHING = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


class Setting(NamedTuple):
    """A library as it is used: by the kind of scenario, the module that builds it."""

    name: str
    modules: Mapping[str, str]
    options: Mapping[str, Any] = {}

    def builder(self, kind: str) -> Callable[[Team], Any]:
        """Give the function that puts the agents together."""
        build = import_module(f".variants.{self.modules[kind]}", __package__).build
        return lambda team: build(team, **self.options)

    def lines(self, kind: str) -> int:
        """Count the lines of code of the module that builds it."""
        return lines_of_code(Path(__file__).parent / "variants" / f"{self.modules[kind]}.py")


OURS = "crux_langgraph"
SWARM = "langgraph-swarm"
DEEP = "deepagents"


def _each(library: str) -> dict[str, str]:
    return {kind: f"{library}_{kind}" for kind in ("coffee", "languages", "relay")}


def _by_result(library: str) -> dict[str, str]:
    """Give the same module for all that has a result with fields, and another for the order of a coffee."""
    return {"coffee": f"{library}_text", "languages": f"{library}_typed", "relay": f"{library}_typed"}


_TEXT = dict.fromkeys(("coffee", "languages", "relay"), "supervisor_text")

SETTINGS = (
    Setting(OURS, _each("crux")),
    Setting(SWARM, _each("swarm")),
    Setting("langgraph-supervisor", _TEXT),
    Setting("supervisor, full history", _TEXT, {"output_mode": "full_history"}),
    Setting("supervisor, typed workers", dict.fromkeys(("languages", "relay"), "supervisor_typed")),
    Setting(DEEP, _by_result("deepagents")),
    Setting("deepagents, task tool alone", _by_result("task_tool")),
)


def lines_of_code(path: Path) -> int:
    """Count the lines that hold code: neither blank, nor comment, nor docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef))
    texts = {node.body[0].lineno for node in documented if ast.get_docstring(node) is not None}
    with path.open("rb") as file:
        tokens = [
            token for token in tokenize.tokenize(file.readline) if token.type not in {*_NOTHING, tokenize.ENCODING}
        ]
    code = [token for token in tokens if not (token.type == tokenize.STRING and token.start[0] in texts)]
    return len({line for token in code for line in range(token.start[0], token.end[0] + 1)})
