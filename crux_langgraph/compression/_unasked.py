"""What pydantic writes out without asking the annotation that hides it, written once more by that annotation.

So it is with the fields of a named tuple before pydantic 2.14, with what stands in a union behind a member that takes
any value, and with keys.
"""

import types
from collections.abc import Sequence
from functools import partial
from operator import itemgetter
from typing import Annotated, Any, Union

from pydantic import ConfigDict, PydanticUserError, TypeAdapter

from crux_langgraph._contract._annotations import bare, members, metadata
from crux_langgraph._contract._hiding import hidden_in
from crux_langgraph.compression._declared import argument, could_be, options_of, remembered
from crux_langgraph.compression._dumping import written_by

_SEVERAL = 2
_HIDES, _IS_ASKED_APART, _SHOWS = range(3)


class Writer:
    """Writes values as one annotation says."""

    def __init__(self, annotation: Any) -> None:
        # In a tuple of its own: no config can be given beside that of a model.
        alone: Any = types.GenericAlias(tuple, (annotation,))
        self._adapter: TypeAdapter[Any] = TypeAdapter(alone, config=ConfigDict(arbitrary_types_allowed=True))
        hidden = hidden_in(self._adapter.core_schema)
        self.hides = bool(hidden.names)
        """Something in the annotation is private."""
        self.asks = not hidden.unmasked
        """Pydantic asks the annotation of all that is private how it is written."""

    def write(self, value: Any) -> Any:
        """Give a value as JSON-like data, with what is private replaced by a mark."""
        (written,) = written_by(partial(self._adapter.dump_python, (value,)))
        return written


def written_fields(values: Sequence[Any], dumped: Sequence[Any], kind: Any) -> list[Any]:
    """Give the dump of a named tuple's values with that of its fields which hide something as they say."""
    written = list(dumped)
    for at, writer in _hiding_fields(kind):
        written[at] = writer.write(values[at])
    return written


@remembered
def _hiding_fields(kind: Any) -> tuple[tuple[int, Writer], ...]:
    writers = map(_hiding, (members(kind) or {}).values())
    return tuple((at, writer) for at, writer in enumerate(writers) if writer is not None)


def union_writer(annotation: Any) -> Writer | None:
    """Give what writes a union by the first member that a value is one of, those that hide something first.

    In the order they stand in, one that takes any value would write out what the next one hides. None where the order
    says nothing. The answer does not depend on the order: unions in another order are equal, and so are one in a cache.
    """
    options = [one for one in options_of(annotation) if one is not type(None)]
    ranks = list(map(_rank, options))
    if len(set(ranks)) < _SEVERAL:
        return None
    ordered = [one for _, one in sorted(zip(ranks, options, strict=True), key=itemgetter(0))]
    told = metadata(annotation)
    union: Any = Union[(*ordered, None)]
    # With something new in it: typing would give an equal annotation that was made before, of a union in another order.
    return _hiding(Annotated[(union, *told, object())] if told else union)


def _rank(annotation: Any) -> int:
    writer = _hiding(annotation)
    if writer is None:
        return _SHOWS
    # The fields of a named tuple are asked apart: as a member it takes any value before pydantic 2.14.
    return _HIDES if writer.asks else _IS_ASKED_APART


@remembered
def key_writer(annotation: Any) -> tuple[Any, Writer] | None:
    """Give the annotation of a mapping's keys, and what writes them, if one in it or in its unions hides something."""
    kinds = [bare(option) for option in options_of(annotation)]
    keys = (argument(kind, 0) for kind in kinds if could_be(kind, dict) and members(kind) is None)
    written = ((key, _hiding(key)) for key in keys if key is not str)
    return next(((key, writer) for key, writer in written if writer is not None), None)


def _hiding(annotation: Any) -> Writer | None:
    try:
        writer = Writer(annotation)
    except PydanticUserError:  # `Self` says nothing outside of its class: its value is a record, and asked for itself
        return None
    return writer if writer.hides else None
