"""Receipt: what a handoff cost and changed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from crux_langgraph._model_use import SUMMARY_PATH, ModelUse, Reason
from crux_langgraph._texts import Texts
from crux_langgraph.compression import CUT, Counter, FittedPart, Tier
from crux_langgraph.errors import HandoffError

_MOST_PATHS = 5


class Receipt:
    """What a handoff cost and changed: sizes before and after, and the seconds of each step.

    `input_*` is the validated input as JSON text, `context_*` the text for the receiving agent, frame and fence
    included. Bytes are of UTF-8; tokens are by the handoff's own counter. Sizes are measured when first read. On a
    payload that was read back from an envelope `input_*` is None unless it was measured before.
    """

    def __init__(
        self,
        *,
        durations_s: Mapping[str, float],
        counter: Counter,
        texts: Texts,
        input_text: Callable[[], str] | None = None,
        measured: Mapping[str, int] | None = None,
        model: ModelUse | None = None,
    ) -> None:
        self.durations_s: dict[str, float] = dict(durations_s)
        """Seconds by step: `input`, `transform`, `output`, and `model` where one was asked."""
        self.model = model
        """What a model was asked for this payload and what became of it; None when none was asked."""
        self._counter = counter
        self._texts = texts
        self._input_text = input_text
        self._measured = dict(measured or {})

    def __repr__(self) -> str:
        return f"<Receipt {'; '.join(self._facts())}>"

    def _facts(self) -> Iterator[str]:
        """Give what is known without counting, and no value of the payload, which sentences of a model may hold."""
        yield from self._sizes()
        if self.model:
            yield f"model: {self.model.calls} calls"
        if self.degraded:
            yield f"degraded: {', '.join(self.degraded)}"
        yield f"{self.duration_s * 1000:,.1f} ms"

    def _sizes(self) -> Iterator[str]:
        try:
            rendered = self._texts.rendered
        except HandoffError as error:
            yield f"no context ({type(error).__name__})"
            return
        yield rendered.tier
        known = {"input": None, "context": rendered.tokens}
        sizes = ((name, self._measured.get(f"{name}_tokens", tokens)) for name, tokens in known.items())
        yield from (f"{name}: {tokens:,} tokens" for name, tokens in sizes if tokens is not None)
        if self.omitted:
            yield f"not in full: {_few(self.omitted)}"

    def _repr_html_(self) -> str:
        """What a notebook shows: the sizes as bars, what became of each part, and what a model was asked."""
        return self.view("Receipt", (), None)

    def view(self, title: str, facts: Iterable[str], text: str | None) -> str:
        """Give the receipt as HTML under a title, with facts beside its own and a text to unfold."""
        from crux_langgraph._html import Bar, view  # for notebooks alone

        sizes = [("input", self.input_tokens), ("context", self.context_tokens)]
        bars = [Bar(f"{name} tokens", tokens) for name, tokens in sizes if tokens is not None]
        return view(title, (*facts, *self._told()), bars, self.parts, text)

    def _told(self) -> Iterator[str]:
        yield f"{self.tier}"
        yield f"{self.duration_s * 1000:,.1f} ms"
        if self.model:
            yield f"model: {self.model.calls} calls, {self.model.tokens_read:,} tokens read"
        if self.degraded:
            yield f"degraded: {', '.join(self.degraded)}"
        if self.invented:
            yield f"invented and removed: {' '.join(self.invented)}"

    @property
    def input_bytes(self) -> int | None:
        """UTF-8 bytes of the input's JSON text."""
        return self._measure("input_bytes", self._input_text, _utf8_length)

    @property
    def input_characters(self) -> int | None:
        """Characters of the input's JSON text."""
        return self._measure("input_characters", self._input_text, len)

    @property
    def input_tokens(self) -> int | None:
        """Tokens of the input's JSON text."""
        return self._measure("input_tokens", self._input_text, self._counter)

    @property
    def context_bytes(self) -> int:
        """UTF-8 bytes of the context."""
        return self._measure("context_bytes", self._context, _utf8_length) or 0

    @property
    def context_characters(self) -> int:
        """Characters of the context."""
        return self._measure("context_characters", self._context, len) or 0

    @property
    def context_tokens(self) -> int:
        """Tokens of the context, the number that `max_tokens` limits."""
        return self._measure("context_tokens", self._context, self._counted) or 0

    @property
    def tier(self) -> Tier:
        """How much of the data the context shows.

        `verbatim`, `compact` (without loss), `summary` (a model wrote its prose shorter), `extract` or `reference`.
        """
        return self._texts.rendered.tier

    @property
    def parts(self) -> tuple[FittedPart, ...]:
        """What became of each field: path, tokens before and after, tier, reason. Empty where everything is shown."""
        return self._texts.rendered.parts

    @property
    def omitted(self) -> tuple[str, ...]:
        """The paths of the fields that the context does not show in full."""
        return tuple(part.path for part in self.parts if part.tier in CUT and part.path != SUMMARY_PATH)

    @property
    def model_calls(self) -> int:
        """How many calls of a model were made for this payload."""
        return self.model.calls if self.model else 0

    @property
    def model_tokens_read(self) -> int:
        """The tokens that these calls read together."""
        return self.model.tokens_read if self.model else 0

    @property
    def degraded(self) -> tuple[Reason, ...]:
        """Why the deterministic fit stepped in for a model; empty when it did not, or when no model was asked."""
        return self.model.degraded if self.model else ()

    @property
    def invented(self) -> tuple[str, ...]:
        """The sentences of a model that were removed, for numbers or ids in them that the payload does not have."""
        return self.model.invented if self.model else ()

    @property
    def duration_s(self) -> float:
        """Seconds of all steps together."""
        return sum(self.durations_s.values())

    def to_json(self) -> dict[str, Any]:
        """Write the durations, the sizes that were measured so far, and what a model was asked."""
        model = self.model.to_json() if self.model else None
        return {"durations_s": self.durations_s, "measured": self._measured, "model": model}

    def with_model(self, model: ModelUse, texts: Texts) -> "Receipt":
        """Give the receipt of the same payload after a model was asked; sizes of its context are measured anew."""
        return Receipt(
            durations_s={**self.durations_s, "model": model.duration_s},
            counter=self._counter,
            texts=texts,
            input_text=self._input_text,
            measured={name: size for name, size in self._measured.items() if not name.startswith("context")},
            model=model,
        )

    def _counted(self, context: str) -> int:
        tokens = self._texts.rendered.tokens
        return self._counter(context) if tokens is None else tokens

    def know_input(self, text: bytes) -> tuple[int, int]:
        """Measure the input by its JSON text, of who has written that already, and give its bytes and tokens."""
        size = self._measured["input_bytes"] = len(text)
        tokens = self._measured.get("input_tokens")
        if tokens is None:
            tokens = self._measured["input_tokens"] = self._counter(text.decode())
        return size, tokens

    def _context(self) -> str:
        return self._texts.rendered.context

    def _measure(self, size: str, text: Callable[[], str] | None, count: Callable[[str], int]) -> int | None:
        if size not in self._measured and text is not None:
            self._measured[size] = count(text())
        return self._measured.get(size)


def _few(paths: Sequence[str]) -> str:
    shown = [path if path.isprintable() else repr(path) for path in paths[:_MOST_PATHS]]
    more = [f"and {len(paths) - _MOST_PATHS} more"] if len(paths) > _MOST_PATHS else []
    return ", ".join(path or "(root)" for path in (*shown, *more))


def _utf8_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
