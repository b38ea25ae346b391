"""One typed boundary: validating, dumping and loading a payload, and telling what does not fit without its values."""

from crux_langgraph._contract import telling
from crux_langgraph._contract._annotations import UNIONS, bare, members, metadata
from crux_langgraph._contract._contract import Contract, ViolationError, without
from crux_langgraph._contract._endless import EndlessError, refuse_endless
from crux_langgraph._contract._hiding import Hidden
from crux_langgraph._contract._keys import keys_of

__all__ = [
    "UNIONS",
    "Contract",
    "EndlessError",
    "Hidden",
    "ViolationError",
    "bare",
    "keys_of",
    "members",
    "metadata",
    "refuse_endless",
    "telling",
    "without",
]
