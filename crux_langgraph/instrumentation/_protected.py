"""What is to be masked wherever a framework records it: the private fields of handoffs, delegates and models, by name."""

from collections.abc import Iterable
from typing import Protocol

from pydantic import BaseModel

from crux_langgraph._contract import Contract


class HasPrivateFields(Protocol):
    """A handoff or a delegate."""

    @property
    def private_fields(self) -> frozenset[str]:
        """The names of its private fields."""
        ...


Protected = HasPrivateFields | type[BaseModel]


def private_names(protected: Iterable[Protected], keys: Iterable[str]) -> frozenset[str]:
    """Give the names of all their private fields, and `keys`."""
    return frozenset({*keys, *(name for one in protected for name in _names(one))})


def _names(one: Protected) -> frozenset[str]:
    return Contract(one).private if isinstance(one, type) else one.private_fields
