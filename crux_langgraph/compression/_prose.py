"""Cutting text into the pieces that selection keeps or leaves: lines, sentences, and bounded parts of both."""

import re
from collections.abc import Iterator

_SENTENCE_END = re.compile(r"[.!?;](\s+)(?=[A-Z\"'(\[])|[\u3002\uff01\uff1f]()")
_ROOMY = 360
_WANTED = 240
_UNBROKEN = 96
_LONG_RUN = re.compile(r"\S{120}")
_BREAK = re.compile(r".*[,;\s]", re.DOTALL)


def pieces(text: str) -> list[tuple[str, str]]:
    """Cut text into `(glue, piece)`: what stood before the piece, and a piece of at most 360 characters.

    Adjacent pieces joined by their glue give the text again, up to blank lines and white space at the ends of lines.
    """
    cut: list[tuple[str, str]] = []
    for line in text.split("\n"):
        body = line.strip()
        if body:
            glue = "\n" if line[0] == body[0] else "\n" + line[: len(line) - len(line.lstrip())]
            for sentence in _sentences(body):
                if len(sentence) > _UNBROKEN:
                    cut.extend(_bounded(sentence, glue))
                elif sentence:
                    cut.append((glue, sentence))
                glue = " "
    return cut


def _sentences(line: str) -> Iterator[str]:
    start = 0
    for end in _SENTENCE_END.finditer(line):
        gap = end.span(end.lastindex or 0)
        yield line[start : gap[0]]
        start = gap[1]
    yield line[start:]


def _bounded(sentence: str, glue: str) -> Iterator[tuple[str, str]]:
    """Cut a long sentence after a comma or space; where there is neither, anywhere, and shorter: such text is dense."""
    at = 0
    while at < len(sentence):
        end = _end(sentence, at)
        part = sentence[at:end]
        yield glue, part.rstrip()
        glue = "" if part == part.rstrip() else " "
        at = end


def _end(sentence: str, at: int) -> int:
    dense = _LONG_RUN.search(sentence, at, at + _ROOMY)
    if dense is not None and dense.start() == at:
        return at + _UNBROKEN
    if dense is not None:
        return dense.start()
    if len(sentence) - at <= _ROOMY:
        return len(sentence)
    cut = _BREAK.match(sentence, at, at + _WANTED)
    return cut.end() if cut is not None and cut.end() > at + _WANTED // 2 else at + _WANTED
