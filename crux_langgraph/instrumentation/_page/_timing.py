"""When the runs of one trace ran, as parts of the whole."""

from datetime import datetime
from typing import NamedTuple

from crux_langgraph.instrumentation._captured import CapturedRun


class Timeline(NamedTuple):
    """The time from the start of a trace to its end, or to the last thing known of one that still runs."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, root: CapturedRun) -> "Timeline":
        """Measure a trace."""
        runs = [run.run for _, run in root.walk()]
        return cls(root.run.start_time, max(run.end_time or run.start_time for run in runs))

    def place(self, run: CapturedRun) -> str:
        """Give where a run's bar stands and how long it is, as CSS."""
        whole = (self.end - self.start).total_seconds() or 1.0
        began = (run.run.start_time - self.start).total_seconds() / whole
        lasted = ((run.run.end_time or self.end) - run.run.start_time).total_seconds() / whole
        left = min(max(began, 0.0), 1.0)
        return f"left:{100 * left:.3f}%;width:{100 * min(max(lasted, 0.0), 1.0 - left):.3f}%"
