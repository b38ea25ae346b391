"""Delegates: subagents with a handoff as their contract, called by hand or, as tools, by a model."""

from crux_langgraph._delegate._decorating import delegate
from crux_langgraph._delegate._delegate import Delegate
from crux_langgraph._delegate._result import DelegateResult
from crux_langgraph._delegate._subagent import RepairRequest

__all__ = ["Delegate", "DelegateResult", "RepairRequest", "delegate"]
