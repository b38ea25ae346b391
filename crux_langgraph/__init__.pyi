# The public names for type checkers: at run time each is imported when it is first asked for.
from crux_langgraph import errors
from crux_langgraph._context import Composed, Context, Cut, compose
from crux_langgraph._delegate import Delegate, DelegateResult, RepairRequest, delegate
from crux_langgraph._handoff import Handoff, handoff
from crux_langgraph._inbox import ANY, GLOBAL, Claimed, Sent, Stored
from crux_langgraph._payload import Payload
from crux_langgraph._receipt import Receipt
from crux_langgraph._receiving import brief_in, brief_messages, human_message, system_message
from crux_langgraph._summarizing import Summarize
from crux_langgraph.compression import Fitted, FittedPart, estimate_tokens, fit, model_counter, tiktoken_counter
from crux_langgraph.fields import Fit, Omit, Pin, Private
from crux_langgraph.graph import (
    ActiveAgent,
    HandoffNode,
    HandoffRequests,
    Handoffs,
    HandoffState,
    ReceiveNode,
    Repair,
    SendNode,
    add_active_router,
    add_handoff,
    add_handoffs,
    check,
)

__all__ = [
    "ANY",
    "GLOBAL",
    "ActiveAgent",
    "Claimed",
    "Composed",
    "Context",
    "Cut",
    "Delegate",
    "DelegateResult",
    "Fit",
    "Fitted",
    "FittedPart",
    "Handoff",
    "HandoffNode",
    "HandoffRequests",
    "HandoffState",
    "Handoffs",
    "Omit",
    "Payload",
    "Pin",
    "Private",
    "Receipt",
    "ReceiveNode",
    "Repair",
    "RepairRequest",
    "SendNode",
    "Sent",
    "Stored",
    "Summarize",
    "add_active_router",
    "add_handoff",
    "add_handoffs",
    "brief_in",
    "brief_messages",
    "check",
    "compose",
    "delegate",
    "errors",
    "estimate_tokens",
    "fit",
    "handoff",
    "human_message",
    "model_counter",
    "system_message",
    "tiktoken_counter",
]
