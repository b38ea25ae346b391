"""Which known values a text still holds: letter case, white space and thousands separators do not count."""

import re
from collections.abc import Iterable

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")


def held(values: Iterable[str], text: str) -> list[str]:
    """Give those of `values` that stand in `text` with no letter or digit directly beside them."""
    flat = _flat(text)
    return [value for value in values if re.search(rf"(?<![^\W_]){re.escape(_flat(value))}(?![^\W_])", flat)]


def _flat(text: str) -> str:
    return _THOUSANDS.sub("", " ".join(text.split()).casefold())
