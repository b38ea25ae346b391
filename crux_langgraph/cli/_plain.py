"""Text from files and models as a terminal may show it: nothing in it can move the cursor or change colours."""

_SHOWN_AS_THEY_ARE = "\n\t"
_CONTROLS = {code: "�" for code in (*range(32), *range(127, 160)) if chr(code) not in _SHOWN_AS_THEY_ARE}


def plain(text: str) -> str:
    """Give `text` with each control character but newline and tab replaced."""
    return text.replace("\r\n", "\n").translate(_CONTROLS)


def one_line(text: str) -> str:
    """Give `text` on one line: any run of white space becomes a space."""
    return plain(" ".join(text.split()))
