"""Which type in an annotation says what stands inside of a value."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, cast, get_origin

from crux_langgraph._contract._annotations import UNIONS, arguments, bare, members
from crux_langgraph.compression._dumping import is_named_tuple


@lru_cache(maxsize=1024)
def fields_of(kind: Any) -> Mapping[str, Any]:
    """Give the fields of a type with their annotations; none for what declares no fields."""
    return members(kind) or {}


def argument(kind: Any, at: int) -> Any:
    """Give the annotation of what a container holds at this place."""
    given = arguments(kind)
    if not given:
        return Any
    return given[at] if -len(given) <= at < len(given) else given[-1]


def of_type(annotation: Any, container: type) -> Any:
    """Give the member of a union that is such a container, or the annotation itself."""
    kind = bare(annotation)
    if get_origin(kind) not in UNIONS:
        return kind
    options = [of_type(member, container) for member in arguments(kind)]
    fitting = (option for option in options if _could_be(option, container))
    return next(fitting, Any)


def declaration(value: Any, annotation: Any) -> Any:
    """Give the type in an annotation, or in a union, that a record is an instance of; its own where it is declared nowhere."""
    kind = bare(annotation)
    options = list(_flattened(kind))
    own = (one for one in options if (get_origin(one) or one) is type(value))
    wider = (one for one in options if fields_of(one) and _is_instance(value, get_origin(one) or one))
    return next(own, None) or next(wider, cast("Any", type(value)))


def _flattened(kind: Any) -> Iterator[Any]:
    if get_origin(kind) not in UNIONS:
        yield kind
        return
    for member in arguments(kind):
        yield from _flattened(bare(member))


def _is_instance(value: Any, kind: type) -> bool:
    return not issubclass(kind, dict) and isinstance(value, kind)  # a TypedDict cannot be asked


def _could_be(kind: Any, container: type) -> bool:
    if members(kind) is not None:
        return is_named_tuple(kind) == (container is list)
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and issubclass(
        origin, Mapping if container is dict else (list, tuple, set, frozenset)
    )
