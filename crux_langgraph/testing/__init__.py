"""What tests of programs with handoffs need."""

from crux_langgraph.instrumentation._capturing import CapturedRun, CapturedRuns, capture_runs

__all__ = ["CapturedRun", "CapturedRuns", "capture_runs"]
