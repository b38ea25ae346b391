"""Puts a table that a benchmark made into README.md, in the place of the one with the same head."""

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def put(table: str) -> None:
    """Replace the table. Raises `LookupError` when README.md has none that begins alike."""
    text = README.read_text(encoding="utf-8")
    head = table.partition("\n")[0]
    found = re.search(re.escape(head) + r"\n.*?(?=\n\n)", text, re.DOTALL)
    if found is None:
        raise LookupError(head)
    README.write_text(text.replace(found[0], table), encoding="utf-8")
