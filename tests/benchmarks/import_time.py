"""What `import crux_langgraph` adds to a program that has imported `langgraph.graph`: milliseconds, and as a ratio.

Its names are imported when they are first asked for, so what the README's first program names is measured as well.

uv run python tests/benchmarks/import_time.py [--rounds N]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile

CODE = """
import time
started = time.perf_counter()
import langgraph.graph
host = time.perf_counter()
import crux_langgraph
ours = time.perf_counter()
from crux_langgraph import HandoffState, add_handoff, errors, handoff
print(host - started, ours - host, time.perf_counter() - host)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as cache:
        # Compiled once, as an installed package is.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        runs = [
            subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True)
            for _ in range(rounds + 1)
        ]
    seconds = [tuple(map(float, run.stdout.split())) for run in runs[1:]]
    host = statistics.median(taken[0] for taken in seconds)
    ours = statistics.median(taken[1] for taken in seconds)
    named = statistics.median(taken[2] for taken in seconds)
    print(f"langgraph.graph {host * 1e3:.0f} ms, crux_langgraph {ours * 1e3:.1f} ms more   <= 30")
    print(f"with what a handoff on an edge needs {named * 1e3:.1f} ms more")
    print(f"ratios {ours / host:.3f}, {named / host:.3f}")


if __name__ == "__main__":
    main()
