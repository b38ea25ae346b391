"""Stores: where sent handoffs wait. SQLite is built in, Postgres comes with the extra `postgres`."""

from crux_langgraph.stores._bell import Ticket
from crux_langgraph.stores._opening import (
    ENVIRONMENT,
    close_all,
    fault_of_store,
    open_store,
    opened_before,
    wanted_store,
)
from crux_langgraph.stores._protocol import Store
from crux_langgraph.stores._records import Appended, Entry, Lease, Record, State

__all__ = [
    "ENVIRONMENT",
    "Appended",
    "Entry",
    "Lease",
    "Record",
    "State",
    "Store",
    "Ticket",
    "close_all",
    "fault_of_store",
    "open_store",
    "opened_before",
    "wanted_store",
]
