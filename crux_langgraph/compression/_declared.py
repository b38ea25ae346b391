"""Which type in an annotation says what stands inside of a value."""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeVar, cast, get_origin

from crux_langgraph._contract._annotations import UNIONS, arguments, bare, members
from crux_langgraph.compression._dumping import is_named_tuple

T = TypeVar("T")


class _Same:
    """An annotation that is known again by being the same one."""

    def __init__(self, annotation: Any) -> None:
        self.annotation = annotation

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.annotation is other.annotation

    def __hash__(self) -> int:
        return id(self.annotation)


def remembered(ask: Callable[[Any], T]) -> Callable[[Any], T]:
    """Keep what is asked of annotations, also of those with metadata that cannot be hashed."""

    def ask_same(same: _Same) -> T:
        return ask(same.annotation)

    kept, kept_apart = lru_cache(maxsize=4096)(ask), lru_cache(maxsize=1024)(ask_same)

    def answer(annotation: Any) -> T:
        try:
            return kept(annotation)
        except TypeError:
            return kept_apart(_Same(annotation))

    return answer


@remembered
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
    fitting = (option for option in options if could_be(option, container))
    return next(fitting, Any)


def declaration(value: Any, annotation: Any) -> Any:
    """Give the type in an annotation, or in a union, that a record is an instance of; its own where it is declared nowhere."""
    options = list(map(bare, options_of(annotation)))
    own = (one for one in options if (get_origin(one) or one) is type(value))
    wider = (one for one in options if fields_of(one) and _is_instance(value, get_origin(one) or one))
    return next(own, None) or next(wider, cast("Any", type(value)))


def options_of(annotation: Any) -> Iterator[Any]:
    """Give the members of a union and of the unions in it, or the annotation itself."""
    kind = bare(annotation)
    if get_origin(kind) not in UNIONS:
        yield annotation
        return
    for member in arguments(kind):
        yield from options_of(member)


def could_be(kind: Any, container: type) -> bool:
    """Say whether a type is such a container: a `dict`, or a `list` for whatever holds items."""
    if members(kind) is not None:
        return is_named_tuple(kind) == (container is list)
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and issubclass(
        origin, Mapping if container is dict else (list, tuple, set, frozenset)
    )


def _is_instance(value: Any, kind: type) -> bool:
    return not issubclass(kind, dict) and isinstance(value, kind)  # a TypedDict cannot be asked
