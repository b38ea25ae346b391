"""The model tier above the deterministic fit: a model writes the prose shorter, within limits, and is not trusted."""

from crux_langgraph._summarizing._settings import Summarize

__all__ = ["Summarize"]
