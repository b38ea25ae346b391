"""The model tier above the deterministic fit: a model writes the prose shorter, within limits, and is not trusted."""

from crux_langgraph._summarizing._failures import Reason
from crux_langgraph._summarizing._settings import Summarize
from crux_langgraph._summarizing._splitting import Shrink
from crux_langgraph._summarizing._summary import Summary, summarize

__all__ = ["Reason", "Shrink", "Summarize", "Summary", "summarize"]
