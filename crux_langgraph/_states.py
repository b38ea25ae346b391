"""One key of a graph's state, whatever kind of state it is."""

from collections.abc import Mapping
from typing import Any, cast

MAPPINGS = (dict, Mapping)  # nearly all are a dict, which is known at once; the abstract class is asked for long


def value_in(state: object, key: str) -> Any:
    """Give what a TypedDict, a pydantic model or a dataclass has under `key`; None when it has nothing there."""
    return cast("Mapping[str, Any]", state).get(key) if isinstance(state, MAPPINGS) else getattr(state, key, None)
