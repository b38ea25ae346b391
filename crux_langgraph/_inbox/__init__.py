"""Stored handoffs: what a handoff can do with a store. Sent in one process, received or claimed in another."""

from crux_langgraph._inbox._claimed import Claimed
from crux_langgraph._inbox._inbox import Inbox
from crux_langgraph._inbox._keeping import is_reference
from crux_langgraph._inbox._reading import Stored
from crux_langgraph._inbox._scope import ANY, GLOBAL, Scope
from crux_langgraph._inbox._sending import SendOptions, Sent

__all__ = ["ANY", "GLOBAL", "Claimed", "Inbox", "Scope", "SendOptions", "Sent", "Stored", "is_reference"]
