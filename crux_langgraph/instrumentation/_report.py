"""TraceReport: the runs of a graph as one page to look at, without an account and without a network."""

import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from langchain_core.tracers.schemas import Run

from crux_langgraph.errors import CruxError
from crux_langgraph.instrumentation._captured import PROBLEM_KEY, TOKENS_KEY, CapturedRun, CapturedRuns, extras
from crux_langgraph.instrumentation._covering import Cover, covered
from crux_langgraph.instrumentation._errors import RecordedError
from crux_langgraph.instrumentation._messages import without_noise
from crux_langgraph.instrumentation._protected import Protected, private_names
from crux_langgraph.instrumentation._settings import DEFAULT_VIEW_BYTES, LEAST_VIEW_BYTES
from crux_langgraph.instrumentation._tracebacks import without_words
from crux_langgraph.instrumentation._views import capped

MOST_RUNS = 2_000
"""Runs that a page shows: a browser lays out no more of them quickly."""

_PROBLEM_BYTES = 600


class TraceReport(CapturedRuns):
    """A callback handler that keeps the runs of a graph and writes them as one HTML page:

        report = TraceReport()
        graph.invoke(state, config={"callbacks": [report]})
        report.write("run.html")

    The page has everything in it and asks no network: the runs nested on a timeline, what each was given and gave side
    by side, the tokens before and after each handoff as bars, what was left out, and what went wrong. It hears sync and
    async runs, streams and threads alike, and breaks none of them.

    The runs of this package mask private fields. Those of the graph and its nodes show the state as LangGraph keeps it:
    for the handoffs, delegates and models that are given as `protected` what stands under the names of their private
    fields, or under one of `keys`, is masked there as well, and of errors only types, places and this package's own
    sentences are shown. `view_bytes` limits what is shown of an input or an output. A page shows at most 2,000 runs and
    about 6 MB, and says what it does not show. Raises `ValueError` for fewer than 256 bytes.

    One report takes any number of runs, each with a timeline of its own. They stay in memory until it goes.
    """

    def __init__(self, *protected: Protected, keys: Iterable[str] = (), view_bytes: int = DEFAULT_VIEW_BYTES) -> None:
        super().__init__()
        if view_bytes < LEAST_VIEW_BYTES:
            msg = f"TraceReport(view_bytes={view_bytes}): give at least {LEAST_VIEW_BYTES} bytes."
            raise ValueError(msg)
        private = private_names(protected, keys)
        self.masked: tuple[str, ...] = tuple(sorted(private))
        """The names whose values are masked in every run."""
        self.view_bytes: int = view_bytes
        """The most bytes that the page shows of an input or an output."""
        self._quotes_errors = not (protected or self.masked)
        self._cover = Cover(private)
        self._begun = 0

    def html(self) -> str:
        """Give the page. Runs that have not ended are shown as running."""
        from crux_langgraph.instrumentation._page import page  # a program that only listens does not draw

        return page(self.roots, masked=self.masked, view_bytes=self.view_bytes)

    def write(self, path: str | Path) -> Path:
        """Write the page to a file, in place of what was there, and give its path; folders are made. Raises `OSError`."""
        written = Path(path)
        with suppress(FileExistsError):  # of what is no folder, writing says so
            written.parent.mkdir(parents=True)
        written.write_text(self.html(), encoding="utf-8")
        return written

    def _repr_html_(self) -> str:
        """What a notebook shows: the page in a frame of its own."""
        from html import escape

        return f'<iframe srcdoc="{escape(self.html())}" sandbox style="width:100%;height:40em;border:0"></iframe>'

    def _on_run_create(self, run: Run) -> None:
        super()._on_run_create(run)
        self._begun += 1
        anything = cast("Any", run)
        anything.serialized, anything.inputs = None, self._shown(run, anything.inputs)

    def _on_run_update(self, run: Run) -> None:
        super()._on_run_update(run)
        extras(run)[TOKENS_KEY] = CapturedRun(run).own_tokens
        anything = cast("Any", run)
        anything.inputs, anything.outputs = self._shown(run, anything.inputs), self._shown(run, anything.outputs)
        if run.error is not None:
            run.error = capped(run.error if self._quotes_errors else without_words(run.error), self.view_bytes)
        anything.events, anything.attachments = [], {}

    def _shown(self, run: Run, value: Any) -> dict[str, Any]:
        if not value:
            return {}
        if self._begun > MOST_RUNS:
            return {"…": "not kept: no page shows so many runs"}
        if not CapturedRun(run).is_ours:
            return covered(self._plain, self.view_bytes, value)
        # Capped already: nothing is to be cut a second time.
        return cast("dict[str, Any]", capped(covered(self._plain, sys.maxsize, value), self.view_bytes))

    def _plain(self, value: Any) -> Any:
        return self._cover(without_noise(value))

    def _ended_by(self, error: BaseException, run: Run) -> Run:
        extras(run)[PROBLEM_KEY] = capped(self._in_short(error), _PROBLEM_BYTES)
        return super()._ended_by(error, run)

    def _in_short(self, error: BaseException) -> str:
        if isinstance(error, RecordedError):
            return str(error)
        kind = type(error).__name__
        said = str(error) if self._quotes_errors or isinstance(error, CruxError) else ""
        return f"{kind}: {said}" if said else kind
