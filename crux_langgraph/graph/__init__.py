"""Handoffs in LangGraph graphs: the nodes, the state channels, the wiring and routing, and the check of it."""

from crux_langgraph.graph._checking import check
from crux_langgraph.graph._node import HandoffNode
from crux_langgraph.graph._placement import placements_of
from crux_langgraph.graph._placing import add_handoff
from crux_langgraph.graph._repairing import Repair
from crux_langgraph.graph._routing import add_active_router, add_handoffs
from crux_langgraph.graph._state import (
    ActiveAgent,
    HandoffRequests,
    Handoffs,
    HandoffState,
    merge_handoffs,
    merge_requests,
)
from crux_langgraph.graph._stored import ReceiveNode, SendNode

__all__ = [
    "ActiveAgent",
    "HandoffNode",
    "HandoffRequests",
    "HandoffState",
    "Handoffs",
    "ReceiveNode",
    "Repair",
    "SendNode",
    "add_active_router",
    "add_handoff",
    "add_handoffs",
    "check",
    "merge_handoffs",
    "merge_requests",
    "placements_of",
]
