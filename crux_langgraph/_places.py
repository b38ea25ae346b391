"""Finding what stands at a path of JSON data: `pages[2].body`, and `pages[].body` for that of every page. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

_ITEM = re.compile(r"\[(\d{0,9})\]")
_EVERY = ""
_NOTHING = object()


def found_at(path: str, data: Any, mark: object) -> Iterator[Any]:
    """Give what stands at `path`; the first is meant, and more come only where keys hold dots or brackets themselves.

    The empty path is the data itself. Below a `mark` stands the mark; nothing stands below a text or a number.
    """
    if not path or data == mark:
        yield data
    elif isinstance(data, dict):
        yield from _in_record(path, cast("Mapping[str, Any]", data), mark)
    elif isinstance(data, list) and (item := _ITEM.match(path)):
        yield from _in_list(item[1], path[item.end() :].removeprefix("."), cast("list[Any]", data), mark)


def _in_record(path: str, record: Mapping[str, Any], mark: object) -> Iterator[Any]:
    for key in sorted(record, key=len, reverse=True):
        rest = path[len(key) :]
        if path.startswith(key) and rest[:1] in ("", ".", "["):
            yield from found_at(rest.removeprefix("."), record[key], mark)


def _in_list(number: str, rest: str, items: list[Any], mark: object) -> Iterator[Any]:
    if number != _EVERY:
        for item in items[int(number) : int(number) + 1]:
            yield from found_at(rest, item, mark)
        return
    found = [next(found_at(rest, item, mark), _NOTHING) for item in items]
    there = [one for one in found if one is not _NOTHING]
    if there or not rest:
        yield there
