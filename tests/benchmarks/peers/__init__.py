"""This package beside langgraph-swarm, langgraph-supervisor and deepagents, on the same scripted models.

With the group `benchmarks`, or where TIKTOKEN_CACHE_DIR has the encoding, tokens are counted exactly as well.

    uv run --group peers --group benchmarks python -m tests.benchmarks.peers [--rounds N] [--write]
"""
