"""Upgrades: stored data of an older version of a handoff, brought forward step by step."""

from collections.abc import Callable, Mapping
from typing import Any

from crux_langgraph._numbers import is_whole
from crux_langgraph._signature import accepts, is_async
from crux_langgraph.errors import DefinitionError

Upgrade = Callable[[dict[str, Any]], Any]
"""Takes the data of one version as JSON values and gives those of the next version."""


def checked_upgrade(handoff: str, version: int, from_version: object, known: Mapping[int, Upgrade]) -> int:
    """Give `from_version` if an upgrade may lead from it."""
    if not is_whole(from_version, 1) or from_version >= version:
        raise DefinitionError(
            handoff=handoff,
            found=f"it is version {version}, and an upgrade leads from version {from_version!r}",
            fix=f"Write @upgrade(n) with n from 1 to {version - 1}, or raise version=."
            if version > 1
            else "Give @handoff version=2 when the output model changes; then write @upgrade(1).",
        )
    if from_version in known:
        raise DefinitionError(
            handoff=handoff,
            found=f"two upgrades lead from version {from_version}",
            fix="Write one function for each version.",
        )
    return from_version


def checked_function(handoff: str, function: Any) -> Any:
    """Give `function` if it can be called with the data of a version."""
    if is_async(function) or not accepts(function, 1):
        raise DefinitionError(
            handoff=handoff,
            found="its upgrade cannot be called with the data alone",
            fix="Put @upgrade(n) above a plain function: def to_next(data: dict) -> dict.",
        )
    return function
