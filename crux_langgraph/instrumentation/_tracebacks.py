"""What is sent of an error's traceback: where it happened, the types, and this package's own sentences."""

import re
from collections.abc import Iterable, Iterator

_START = "Traceback (most recent call last):"
_LINKS = ("The above exception was the direct cause", "During handling of the above exception")
_PLACE = re.compile(r'  File "[^"\n]*", line \d+, in [\w<>.]+$')
_TYPE = re.compile(r"[A-Za-z_][\w.]*(?=:|$)")
_OURS = ("crux_langgraph.errors.", "crux_langgraph.instrumentation.")
_ALONE = re.compile(r"[^\n]*?\)(crux_langgraph\.(?:errors|instrumentation)\..*)", re.DOTALL)
"""An error of ours that has no traceback: LangChain writes its repr, and its text right behind."""
_NOTHING = "[not recorded: no traceback]"


def without_words(error: str) -> str:
    """Give a recorded error without the words of other programs' exceptions, which may quote what they were given."""
    _, start, rest = error.partition(_START)
    if start:
        return "\n".join(_lines([start, *rest.split("\n")]))
    alone = _ALONE.fullmatch(error)
    return alone[1] if alone else _NOTHING


def _lines(lines: Iterable[str]) -> Iterator[str]:
    in_frames, is_ours = True, False
    for line in lines:
        if line.startswith((_START, *_LINKS)):
            in_frames, is_ours = True, False
            yield line
        elif in_frames and line.startswith((" ", "\t")):
            yield from [line] if _PLACE.match(line) else []
        elif in_frames and line:
            in_frames, is_ours = False, line.startswith(_OURS)
            yield from _head(line, is_ours=is_ours)
        elif is_ours and line:
            yield line
        else:
            is_ours = False


def _head(line: str, *, is_ours: bool) -> Iterator[str]:
    found = _TYPE.match(line)
    if is_ours:
        yield line
    elif found is not None:
        yield found[0]
