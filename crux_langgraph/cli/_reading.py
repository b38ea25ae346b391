"""Reading a file of conversations: JSON or JSONL, with one clear line for whatever is wrong with it."""

import codecs
import json
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn, cast

from crux_langgraph.cli._conversations import Conversation, conversations_in
from crux_langgraph.cli._messages import Placed
from crux_langgraph.cli._plain import one_line
from crux_langgraph.cli._stopping import StopError

STDIN = "-"
_SUFFIX = ".json"
_LINES_SUFFIXES = {".jsonl", ".ndjson"}
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def bundled() -> list[Conversation]:
    """Give the recorded conversations that ship with the package (their origin and licence stand beside them)."""
    text = files("crux_langgraph.cli").joinpath("data", "conversations.jsonl").read_text(encoding="utf-8")
    return conversations_in(_values(text, by_line=True), "recorded")


def read_file(path: Path) -> list[Conversation]:
    """Read the user's conversations; `-` is stdin.

    The file holds messages, or conversations as `{"messages": [...]}` or lists of messages, as one JSON document or
    one JSON value per line. Raises `StopError` that names the file and the line.
    """
    shown = "stdin" if str(path) == STDIN else one_line(str(path))
    try:
        values = _values(_text(_bytes(path)), by_line=path.suffix.lower() in _LINES_SUFFIXES)
        return conversations_in(values, "stdin" if str(path) == STDIN else path.stem)
    except StopError as error:
        raise StopError(where=shown, found=str(error)) from None


def read_any(path: Path) -> Any:
    """Read a file of JSON, of JSON lines (a list of their values) or of any other text; `-` is stdin.

    A name that ends in `.json`, `.jsonl` or `.ndjson` promises JSON: then anything else raises `StopError`, as do files
    that cannot be read or hold no text.
    """
    shown = "stdin" if str(path) == STDIN else one_line(str(path))
    try:
        return _json_in(_text(_bytes(path)), path.suffix.lower())
    except StopError as error:
        raise StopError(where=shown, found=str(error)) from None


def _json_in(text: str, suffix: str) -> Any:
    lines = _lines(text)
    if not lines:
        raise StopError(found="the file is empty", fix="give JSON, JSONL or text")
    try:
        if suffix in _LINES_SUFFIXES or (suffix != _SUFFIX and _is_lines(lines)):
            return [_load(line, number) for number, line in lines]
        return _load(text, 1)
    except StopError:
        if suffix in {_SUFFIX, *_LINES_SUFFIXES}:
            raise
        return text


def _bytes(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == STDIN else path.read_bytes()
    except FileNotFoundError:
        raise StopError(found="there is no such file") from None
    except IsADirectoryError:
        raise StopError(found="this is a directory", fix="give one JSON or JSONL file") from None
    except PermissionError:
        raise StopError(found="no permission to read this file") from None
    except OSError as error:
        raise StopError(found=f"it cannot be read: {error.strerror or error}") from None


def _text(raw: bytes) -> str:
    if raw.startswith(_UTF_16):
        raise StopError(found="the text is UTF-16", fix="save it as UTF-8")
    if b"\0" in raw:
        raise StopError(found="this is a binary file", fix="give JSON or JSONL text")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        raise StopError(where=f"line {line}", found=found, fix="save the file as UTF-8") from None


def _values(text: str, *, by_line: bool) -> list[Placed]:
    lines = _lines(text)
    if not lines:
        raise StopError(found="the file is empty", fix="give JSON or JSONL with messages")
    if by_line or _is_lines(lines):
        return [(f"line {number}", _load(line, number)) for number, line in lines]
    value: Any = _load(text, 1)
    if not isinstance(value, list):
        return [("", value)]
    if not value:
        raise StopError(found="the list is empty", fix="give messages")
    return [(f"item {number}", item) for number, item in enumerate(cast("list[Any]", value), start=1)]


def _lines(text: str) -> list[tuple[int, str]]:
    # Only "\n" ends a line: JSON text may hold U+2028 and its like, where splitlines would cut.
    return [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def _is_lines(lines: Sequence[tuple[int, str]]) -> bool:
    """Say whether the first line is JSON by itself while others follow, which no JSON document is."""
    try:
        json.loads(lines[0][1])
    except (ValueError, RecursionError):
        return False
    return len(lines) > 1


def _load(text: str, first_line: int) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        place = f"line {first_line + error.lineno - 1}, column {error.colno}"
        raise StopError(where=place, found=f"this is not JSON: {error.msg}") from None
    except RecursionError:
        raise StopError(where=f"line {first_line}", found="the JSON is nested too deeply") from None
    except ValueError as error:
        raise StopError(where=f"line {first_line}", found=str(error)) from None


def _refuse(constant: str) -> NoReturn:
    message = f"{constant} is not JSON"
    raise ValueError(message)
