"""This package beside langgraph-swarm, langgraph-supervisor and deepagents, on the same scripted models.

uv run --group peers python -m tests.benchmarks.peers [--rounds N] [--write]
"""
