"""HTML by elements: what is not markup already is escaped, so that no text of a run can become any."""

from html import escape


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, *content: str, **attributes: str | None) -> Markup:
    """Give an element. An attribute of None is left out; `class_` is `class`, and `aria_label` is `aria-label`."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{given}>{together(*content)}</{name}>")


def together(*content: str) -> Markup:
    """Put texts and elements after one another."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in content))
