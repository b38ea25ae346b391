"""The SQL of the stores, from its `.sql` files: statements by name, and migrations by number."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_PACKAGE = "crux_langgraph.stores"
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_END = re.compile(r";\n(?=\S|$)")  # the statements of a function are indented
_PART = re.compile(r"\{(\w+)\}")


@cache
def statements(family: str) -> Mapping[str, str]:
    """Give the statements of a database family by name. `{part}` in one stands for the statement of that name."""
    _, *pieces = _NAME.split(_text(f"{family}.sql"))
    raw = {name: _bare(sql) for name, sql in zip(pieces[::2], pieces[1::2], strict=True)}
    return {name: _whole(sql, raw) for name, sql in raw.items()}


@cache
def migrations(family: str) -> Mapping[int, tuple[str, ...]]:
    """Give what brings a database from one version to the next, in order: statements by the version they lead to."""
    folder = files(_PACKAGE) / "sql"
    names = sorted(file.name for file in folder.iterdir() if file.name.startswith(f"{family}-"))
    return {int(name.removesuffix(".sql").rpartition("-")[2]): _split(_text(name)) for name in names}


def _whole(sql: str, raw: Mapping[str, str]) -> str:
    return _PART.sub(lambda part: _whole(raw[part[1]], raw), sql)


def _text(name: str) -> str:
    return (files(_PACKAGE) / "sql" / name).read_text(encoding="utf-8")


def _split(text: str) -> tuple[str, ...]:
    return tuple(bare for piece in _END.split(text) if (bare := _bare(piece)))


def _bare(sql: str) -> str:
    lines = (line.partition("--")[0].rstrip() for line in sql.splitlines())
    return "\n".join(line for line in lines if line).rstrip(";").strip()
