"""`crux-langgraph fit`: any file of JSON, of JSON lines or of text, fitted into a budget of tokens."""

import json
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.text import Text

from crux_langgraph import Fitted, Summarize, estimate_tokens, fit
from crux_langgraph._model_use import ModelUse
from crux_langgraph.cli._executing import model_named
from crux_langgraph.cli._parts import parts_table
from crux_langgraph.cli._plain import one_line, plain
from crux_langgraph.cli._reading import read_any

_NARROW = 72
_LOSSLESS = frozenset({"verbatim", "compact"})


class Done(NamedTuple):
    """A fitted file: what was made of it, what a model wrote and was asked, and the budget that holds it."""

    fitted: Fitted
    budget: int
    summary: str | None = None
    use: ModelUse | None = None


def fit_file(path: Path, budget: int, task: str, model: str | None) -> Done:
    """Fit a file. Raises `StopError` for a file that cannot be read and a model that cannot be made."""
    value = read_any(path)
    settings = Summarize(model_named(model)) if model is not None else None
    with _waiting("Fitting"):
        fitted = fit(value, budget, task=task)
    if settings is None or fitted.tier in _LOSSLESS:
        return Done(fitted, budget)
    with _waiting(f"Asking {model}"):
        return _shortened(value, Done(fitted, budget), task, settings)


def _shortened(value: object, done: Done, task: str, settings: Summarize) -> Done:
    from crux_langgraph._shortening import write_shorter
    from crux_langgraph._summarized import Summarized
    from crux_langgraph._waiting import BLOCKING, finish
    from crux_langgraph.compression._fitting import as_it_is
    from crux_langgraph.compression._passages import prose_of

    layout = Summarized(prose_of(value), estimate_tokens, task, as_it_is)
    if not layout.prose.passages:
        return done
    summary, use = finish(write_shorter(BLOCKING, settings, layout, done.budget, fits=False))
    if summary is None:
        return done._replace(use=use)
    return Done(layout.fit(summary, done.budget), done.budget, summary, use)


def show(console: Console, done: Done) -> None:
    """Show the text, and below it what was kept, cut and why."""
    fitted = done.fitted
    console.out(plain(fitted.text), highlight=False)
    title = f"{fitted.tokens:,} of {done.budget:,} tokens (estimated), {fitted.tier}"
    console.print(parts_table(title, fitted.parts, narrow=console.width < _NARROW))
    for line in _told(done.use) if done.use else ():
        console.print(Text(line))


def report(done: Done) -> str:
    """Give all of it as one JSON document."""
    fitted = done.fitted
    document: dict[str, Any] = {
        "context": fitted.text,
        "tokens": fitted.tokens,
        "budget": done.budget,
        "counter": "estimate",
        "tier": fitted.tier,
        "parts": [part._asdict() for part in fitted.parts],
        "omitted": list(fitted.omitted),
        "summary": done.summary,
        "model": done.use.to_json() if done.use else None,
    }
    return json.dumps(document, indent=2)


def _told(use: ModelUse) -> list[str]:
    lines = [f"model: {use.calls} calls, {use.tokens_read:,} tokens read, {use.duration_s:.1f} s"]
    if use.degraded:
        lines.append(f"the deterministic fit stepped in: {', '.join(use.degraded)}")
    return [*lines, *(f"removed, since the file does not say so: {one_line(sentence)}" for sentence in use.invented)]


def _waiting(what: str) -> AbstractContextManager[object]:
    """Show on stderr that work is going on. Nothing is shown when stderr is no terminal."""
    console = Console(stderr=True)
    return console.status(what) if console.is_terminal else nullcontext()
