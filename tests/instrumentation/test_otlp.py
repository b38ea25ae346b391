"""In LangSmith's otel mode the same runs arrive as spans at any OTLP endpoint."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from langsmith_server import LangSmithServer
from packaging.version import Version

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from support import Brief, make, two_agents
from crux_langgraph import Handoff
import langsmith.run_trees
from opentelemetry import trace

def passes_on(_):
    Handoff.of(Brief, id="as-it-is").prepare({"task": "t"})
    return {}

two_agents(make(max_tokens=500)).add_node("c", passes_on).add_edge("b", "c").compile().invoke({})
langsmith.run_trees.get_cached_client().flush()
trace.get_tracer_provider().force_flush()
"""

TAKES_A_BASE = Version(version("langsmith")) >= Version("0.14.4")
"""Whether this client adds the path to the address, as others do; before, it takes it as it is."""


def test_runs_arrive_as_spans_below_the_right_ones(tmp_path: Path) -> None:
    tests = Path(__file__).parent.parent
    with LangSmithServer() as server:
        environment = {
            **os.environ,
            "LANGSMITH_TRACING": "true",
            "LANGSMITH_TRACING_MODE": "otel",
            "LANGSMITH_API_KEY": "none",
            "LANGSMITH_ENDPOINT": server.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": server.url if TAKES_A_BASE else f"{server.url}/v1/traces",
            "OTEL_EXPORTER_OTLP_HEADERS": "x-of=ours",
        }
        ran = [sys.executable, "-c", PROGRAM, str(tests)]
        subprocess.run(ran, env=environment, cwd=tmp_path, check=True, capture_output=True, timeout=120)
        server.wait_idle()
        above = {span["id"]: span["name"] for span in server.spans}
        assert {(span["name"], above.get(span["parent"])) for span in server.spans} == {
            ("LangGraph", None),
            ("a", "LangGraph"),
            ("a-to-b", "LangGraph"),
            ("handoff:prepare", "a-to-b"),
            ("b", "LangGraph"),
            ("c", "LangGraph"),
            ("handoff:prepare", "c"),
        }
        first, alone = (span["attributes"] for span in server.spans if span["name"] == "handoff:prepare")
        assert alone["langsmith.metadata.crux_handoff_id"] == "as-it-is"
        assert first["langsmith.span.kind"] == "chain"
        assert first["langsmith.metadata.crux_from_agent"] == "a"
        assert first["langsmith.metadata.crux_tier"] == "verbatim"
        assert not any("x-api-key" in headers for headers in server.headers)
