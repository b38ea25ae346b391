"""Refusing a call of `fit` that cannot be meant, before anything is read."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_jsonable_python

from crux_langgraph._contract import EndlessError, refuse_endless
from crux_langgraph._numbers import is_whole
from crux_langgraph.compression._dumping import is_record, is_series
from crux_langgraph.compression._tree import Tree
from crux_langgraph.errors import DefinitionError

_READ = (str, bytes, bytearray, Mapping, Iterator, Tree)


@contextmanager
def readable(value: object) -> Generator[None]:
    """Raise `DefinitionError` for what cannot be read: before the block, or when that finds out."""
    _check_value(value)
    try:
        if is_record(value):
            refuse_endless(value)
        yield
    except EndlessError as error:
        found = f"the value cannot be written in full: {error}"
        _refuse(found, "Give each thing once, and where it comes again a name or a number that stands for it.")


def _check_value(value: object) -> None:
    """Refuse what has no text, no fields and no JSON form: all that it could show is its name."""
    if isinstance(value, _READ) or is_record(value) or is_series(value):
        return
    try:
        to_jsonable_python(value)
    except PydanticSerializationError:
        found = f"the value is of type {type(value).__name__}, of which it can show nothing"
        _refuse(found, "Give a model, messages, JSON-like data or text, such as str(value) or list(value).")


def check_options(max_tokens: object, counter: object, task: object, focus: object, receiver: object) -> None:
    """Raise `DefinitionError` for the first option that cannot be one."""
    if not is_whole(max_tokens, 1):
        told = max_tokens if type(max_tokens) is int else f"a {type(max_tokens).__name__}"
        _refuse(f"max_tokens is {told}", "Give max_tokens= a whole number of tokens from 1.")
    if not callable(counter):
        _refuse(f"counter is a {type(counter).__name__}", "Give counter= a function from a text to its tokens.")
    if not isinstance(task, str):
        _refuse(f"task is a {type(task).__name__}", "Give task= what the receiver is to do, as text.")
    if not _are_texts(focus):
        _refuse("focus is not a list of texts", "Give focus= a list of words or phrases, such as ['rain in Hanoi'].")
    if not _is_model(receiver):
        _refuse("receiver is not a model class", "Give receiver= the class of a pydantic model, or leave it out.")


def _are_texts(given: Any) -> bool:
    return is_series(given) and all(isinstance(text, str) for text in given)


def _is_model(given: object) -> bool:
    return given is None or (isinstance(given, type) and issubclass(given, BaseModel))


def _refuse(found: str, fix: str) -> NoReturn:
    raise DefinitionError(handoff="fit", found=found, fix=fix, kind="function")
