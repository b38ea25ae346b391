"""One typed boundary: validating, dumping and loading a payload, and telling what does not fit without its values."""

from crux_langgraph._contract import telling
from crux_langgraph._contract._annotations import UNIONS, bare, metadata
from crux_langgraph._contract._contract import Contract, ViolationError
from crux_langgraph._contract._keys import keys_of

__all__ = ["UNIONS", "Contract", "ViolationError", "bare", "keys_of", "metadata", "telling"]
