"""How many of the facts that a receiver needs are left of a payload at 256, 1,024 and 4,096 tokens.

A fact is retained when its value stands in the text: case, white space and thousands separators are ignored, and no
letter or digit may stand directly beside it. Only payloads over the budget are scored. Tokens are counted exactly
(o200k); the encoding is read from `TIKTOKEN_CACHE_DIR`, else from the copy in the wheel of litellm, without a network.

    uv run --group benchmarks python tests/benchmarks/retention.py [DATA.jsonl ...] [--budgets 256,1024,4096]
"""

import argparse
import importlib.util
import json
import os
import re
import statistics
import time
from pathlib import Path
from typing import Any, NamedTuple

from crux_langgraph import tiktoken_counter
from crux_langgraph.compression import Counter, fit

DATA = Path(__file__).parent / "data" / "airline.jsonl"


class Score(NamedTuple):
    """One budget: the mean share of facts retained, how often it was exceeded, and how much of it was used."""

    probes: int
    retained: float
    over: float
    used: float
    milliseconds: float


def exact_counter() -> Counter:
    """Give the exact counter, from a copy of the encoding that is on this machine."""
    found = importlib.util.find_spec("litellm")
    if "TIKTOKEN_CACHE_DIR" not in os.environ and found is not None and found.origin is not None:
        os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(found.origin).parent / "litellm_core_utils" / "tokenizers")
    return tiktoken_counter("o200k_base")


def plain(text: str) -> str:
    """Write a text so that two spellings of one fact are the same."""
    return re.sub(r"\s+", " ", re.sub(r"(?<=\d),(?=\d{3})", "", text.lower()))


def retains(text: str, value: str) -> bool:
    """Whether a fact stands in a plain text by itself."""
    fact = plain(value).strip()
    before = r"(?<![^\W_])" if fact[0].isalnum() else ""
    after = r"(?![^\W_])" if fact[-1].isalnum() else ""
    return re.search(before + re.escape(fact) + after, text) is not None


def written(messages: list[dict[str, Any]]) -> str:
    """Write all messages out, as passing the whole history does."""
    return fit(messages, 10**9).text


def score(items: list[dict[str, Any]], budget: int, counter: Counter) -> Score | None:
    """Fit every payload that is over the budget for every probe."""
    rows: list[tuple[float, bool, float, float]] = []
    for item in items:
        if counter(written(item["messages"])) <= budget:
            continue
        for probe in item["probes"]:
            started = time.process_time()
            text = fit(item["messages"], budget, counter=counter, task=probe["query"]).text
            taken = time.process_time() - started
            kept = [retains(plain(text), fact["value"]) for fact in probe["facts"]]
            tokens = counter(text)
            rows.append((sum(kept) / len(kept), tokens > budget, tokens / budget, taken * 1e3))
    return Score(len(rows), *map(statistics.fmean, zip(*rows, strict=True))) if rows else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", type=Path, default=[DATA])
    parser.add_argument("--budgets", default="256,1024,4096")
    arguments = parser.parse_args()
    counter = exact_counter()
    for path in arguments.data:
        items = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        print(f"{path.name}: {len(items)} payloads")
        print("budget  probes  retained %  over %  used %  ms")
        for budget in map(int, arguments.budgets.split(",")):
            found = score(items, budget, counter)
            if found is not None:
                shares = f"{found.retained:10.1%}  {found.over:6.1%}  {found.used:6.1%}"
                print(f"{budget:6}  {found.probes:6}  {shares}  {found.milliseconds:.1f}")


if __name__ == "__main__":
    main()
