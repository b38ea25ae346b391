"""What tests of programs with handoffs need: the suite that a store must pass."""

from crux_langgraph.testing.stores import STORE_CHECKS, check_store

__all__ = ["STORE_CHECKS", "check_store"]
