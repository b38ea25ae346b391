"""What tests of programs with handoffs need: the runs that a program makes, and the suite that a store must pass."""

from crux_langgraph.instrumentation._captured import CapturedRun, CapturedRuns
from crux_langgraph.instrumentation._capturing import capture_runs
from crux_langgraph.testing.stores import STORE_CHECKS, check_store

__all__ = ["STORE_CHECKS", "CapturedRun", "CapturedRuns", "capture_runs", "check_store"]
