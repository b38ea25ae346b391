"""Handoffs in LangGraph graphs: the node, the state channel, the wiring, and the check of it."""

from crux_langgraph.graph._checking import check
from crux_langgraph.graph._node import HandoffNode
from crux_langgraph.graph._placing import add_handoff
from crux_langgraph.graph._state import Handoffs, HandoffState, merge_handoffs
from crux_langgraph.graph._stored import ReceiveNode, SendNode

__all__ = [
    "HandoffNode",
    "HandoffState",
    "Handoffs",
    "ReceiveNode",
    "SendNode",
    "add_handoff",
    "check",
    "merge_handoffs",
]
