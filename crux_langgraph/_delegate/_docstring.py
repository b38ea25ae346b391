"""Reading a Google-style docstring: what the function promises, and what its `Args:` section says of each argument."""

import inspect
import re

_ARGUMENT = re.compile(r"^(\w+)(?: *\([^)]*\))?: *(.*)$")
_SECTION = re.compile(r"^(Args|Arguments|Parameters):$")


def read_docstring(text: str | None) -> tuple[str, dict[str, str]]:
    """Give the docstring without its `Args:` section, and that section by argument, each on one line."""
    lines = inspect.cleandoc(text or "").splitlines()
    start = next((at for at, line in enumerate(lines) if _SECTION.match(line)), None)
    if start is None:
        return "\n".join(lines).strip(), {}
    end = next((at for at in range(start + 1, len(lines)) if lines[at][:1].strip()), len(lines))
    rest = [*lines[:start], *lines[end:]]
    return "\n".join(rest).strip(), _arguments(lines[start + 1 : end])


def _arguments(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc("\n" + "\n".join(lines)).splitlines():
        if match := _ARGUMENT.match(line):
            name, said = match.groups()
            found[name] = said
        elif name:
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found
