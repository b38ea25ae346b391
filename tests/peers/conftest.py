"""Tests with other packages run where these are installed: `uv run --group peers pytest tests/peers`."""

from importlib.util import find_spec

PEERS = ("deepagents", "langgraph_supervisor", "langgraph_swarm")

collect_ignore_glob = [] if all(map(find_spec, PEERS)) else ["test_*.py"]
