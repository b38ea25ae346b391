"""In LangSmith's otel mode the same runs arrive as spans at any OTLP endpoint."""

import os
import subprocess
import sys
from pathlib import Path

from langsmith_server import LangSmithServer

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from support import make, two_agents
import langsmith.run_trees
from opentelemetry import trace

two_agents(make(max_tokens=500)).compile().invoke({})
langsmith.run_trees.get_cached_client().flush()
trace.get_tracer_provider().force_flush()
"""


def test_runs_arrive_as_spans_below_the_right_ones(tmp_path: Path) -> None:
    tests = Path(__file__).parent.parent
    with LangSmithServer() as server:
        environment = {
            **os.environ,
            "LANGSMITH_TRACING": "true",
            "LANGSMITH_TRACING_MODE": "otel",
            "LANGSMITH_API_KEY": "none",
            "LANGSMITH_ENDPOINT": server.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": server.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-of=ours",
        }
        ran = [sys.executable, "-c", PROGRAM, str(tests)]
        subprocess.run(ran, env=environment, cwd=tmp_path, check=True, capture_output=True, timeout=120)
        server.wait_idle()
        spans = {span["name"]: span for span in server.spans}
        assert spans.keys() == {"LangGraph", "a", "a-to-b", "handoff:prepare", "b"}
        above = {span["id"]: span["name"] for span in spans.values()}
        assert {name: above.get(span["parent"]) for name, span in spans.items()} == {
            "LangGraph": None,
            "a": "LangGraph",
            "a-to-b": "LangGraph",
            "handoff:prepare": "a-to-b",
            "b": "LangGraph",
        }
        attributes = spans["handoff:prepare"]["attributes"]
        assert attributes["langsmith.span.kind"] == "chain"
        assert attributes["langsmith.metadata.crux_from_agent"] == "a"
        assert attributes["langsmith.metadata.crux_tier"] == "verbatim"
        assert not any("x-api-key" in headers for headers in server.headers)
