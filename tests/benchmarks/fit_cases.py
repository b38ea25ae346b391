"""Random payloads under random budgets: how often a promise of the fit is broken. The answer has to be 0.

Schemas, Unicode, hostile texts, messages and marked fields are drawn at random; budgets from 60 to 8,000 tokens; every
case by one of three counters. The budget must hold for the framed text, and pins must stand in it byte for byte.
With `--in-part` every payload is read as one that is far larger than its budget.

    uv run python tests/benchmarks/fit_cases.py [--cases 100000] [--seed 0] [--in-part]
"""

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from crux_langgraph.compression import DoesNotFitError, Frame, _glancing, fit

sys.path.insert(0, str(Path(__file__).parents[1] / "compression"))
from schemas import BUDGETS, COUNTERS, PAYLOADS, TEXTS, pins_of

FRAME = Frame("Brief", "scout", "aB" * 14)


def verdict(value: Any, budget: int, counter: Any, task: str) -> str:
    """Fit one case, and say what became of it."""
    try:
        fitted = fit(value, budget, counter=counter, task=task, wrap=FRAME.around)
    except DoesNotFitError as error:
        return "pins refused" if error.needed_tokens > budget else "REFUSED WITHOUT NEED"
    if not counter(FRAME.around(fitted.text)) == fitted.tokens <= budget:
        return "OVER THE BUDGET"
    return fitted.tier if all(pin in fitted.text for pin in pins_of(value)) else "PIN CHANGED"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--in-part", action="store_true")
    arguments = parser.parse_args()
    if arguments.in_part:
        _glancing.SMALLEST = _glancing.LEAST_POOL = 100
    found: Counter[str] = Counter()

    @seed(arguments.seed)
    @settings(
        max_examples=arguments.cases,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(value=PAYLOADS, budget=BUDGETS, counter=st.sampled_from(COUNTERS), task=TEXTS)
    def run(value: Any, budget: int, counter: Any, task: str) -> None:
        found[verdict(value, budget, counter, task)] += 1

    run()
    for name, count in found.most_common():
        print(f"{name:22}{count:8}")
    broken = sum(count for name, count in found.items() if name.isupper())
    print(f"{sum(found.values())} cases, {broken} violations")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
