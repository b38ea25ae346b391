"""Runs: every step of a handoff or a delegate as LangSmith and every LangChain callback handler see it."""

from crux_langgraph.instrumentation._listening import is_unheard
from crux_langgraph.instrumentation._nesting import as_subagent, is_inside_a_run, told_by
from crux_langgraph.instrumentation._prepared import PREPARE, Mode, Prepared, identity
from crux_langgraph.instrumentation._recording import Facts, Recording
from crux_langgraph.instrumentation._repairing import repairing
from crux_langgraph.instrumentation._report import TraceReport
from crux_langgraph.instrumentation._settings import recorded

__all__ = [
    "PREPARE",
    "Facts",
    "Mode",
    "Prepared",
    "Recording",
    "TraceReport",
    "as_subagent",
    "identity",
    "is_inside_a_run",
    "is_unheard",
    "recorded",
    "repairing",
    "told_by",
]
