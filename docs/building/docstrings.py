"""Prepares docstrings for the site: options become lists, examples code blocks, and public names links."""

import re
from functools import cache
from typing import Any

from griffe import Extension, Object

import crux_langgraph
from crux_langgraph import errors

_OPTIONS = re.compile(r"^(\s*)Options(?:, (.*))?:$", re.MULTILINE)
_EXAMPLE = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)
_NAME = re.compile(r"`(\w+)`")


class HouseDocstrings(Extension):
    """What mkdocstrings loads by its option `extensions`."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Rewrite the docstring of one object before it is parsed."""
        if obj.docstring is not None:
            text = _OPTIONS.sub(_parameters, obj.docstring.value)
            obj.docstring.value = _NAME.sub(_link, _EXAMPLE.sub(r"```pycon\n\g<0>\n```", text))


def _parameters(found: re.Match[str]) -> str:
    indent, told = found.groups()
    before = f"{indent}{told[:1].upper()}{told[1:]}:\n\n" if told else ""
    return f"{before}{indent}Other Parameters: Options:"


def _link(found: re.Match[str]) -> str:
    path = _paths().get(found[1])
    return f"[{found[0]}][{path}]" if path else found[0]


@cache
def _paths() -> dict[str, str]:
    """Give where each public name stands in the site, apart from ordinary words: `handoff` is an attribute too."""
    paths = {name: f"crux_langgraph.{name}" for name in crux_langgraph.__all__}
    paths |= {name: f"crux_langgraph.errors.{name}" for name in errors.__all__}
    return {name: path for name, path in paths.items() if not name.isalpha() or not name.islower()}
