"""What can be meant as a number: Python counts True as 1, which an option or an answer never means."""

import math
from typing import TypeGuard


def is_whole(given: object, least: float = -math.inf) -> TypeGuard[int]:
    """Say whether it is a whole number from `least`."""
    return isinstance(given, int) and not isinstance(given, bool) and given >= least


def is_from(given: object, least: float) -> TypeGuard[float]:
    """Say whether it is a number, whole or not, from `least`; infinity is, and nan is not."""
    return isinstance(given, int | float) and not isinstance(given, bool) and given >= least


def is_above(given: object, least: float) -> TypeGuard[float]:
    """As `is_from`, without `least` itself."""
    return is_from(given, least) and given > least
