"""Measure this package and its peers in one run, print the tables, and with --write put them into docs/peers.md."""

import argparse
import os
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

from crux_langgraph import estimate_tokens

from . import __doc__ as usage
from ._all import counted_all, settings_for
from ._measuring import Counter, timed
from ._page import agents_text, better_text, costs_text, results_text, times_text, versions_text, with_block
from ._picture import draw
from ._scenarios import SCENARIOS

DOCS = Path(__file__).parents[3] / "docs"


def exact_counter() -> Counter | None:
    """Give the exact counter where its encoding is on this machine: nothing is fetched for it."""
    if "TIKTOKEN_CACHE_DIR" not in os.environ and find_spec("litellm") is None:
        return None
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from retention import exact_counter as with_encoding

    return with_encoding()


def main() -> None:
    parser = argparse.ArgumentParser(description=usage, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--latency-s", type=float, default=0.05)
    parser.add_argument("--write", action="store_true", help="write docs/peers.md and its picture")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # what the other packages warn of is theirs
    exact = exact_counter()
    counted = counted_all(estimate_tokens, exact)
    times = [(one, timed(one, settings_for(one), arguments.latency_s, arguments.rounds)) for one in SCENARIOS]
    parts = {
        "versions": versions_text(),
        "costs": costs_text(counted),
        "results": results_text(counted),
        "better": better_text(counted),
        "agents": agents_text(counted),
        "times": times_text(times),
    }
    print("\n\n".join(parts.values()))
    if arguments.write:
        path = DOCS / "peers.md"
        page = path.read_text(encoding="utf-8")
        for name, text in parts.items():
            page = with_block(page, name, text)
        path.write_text(page, encoding="utf-8")
        draw(counted, DOCS / "pictures" / "peers.svg")


if __name__ == "__main__":
    main()
