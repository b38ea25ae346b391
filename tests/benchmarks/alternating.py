"""Measuring several runs against each other: taken turn about, so that the machine's noise falls on all of them."""

import statistics
import time
from collections.abc import Callable
from typing import Any


def medians(rounds: int, *runs: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> list[float]:
    """Median seconds of each run by `clock`; by `time.process_time` what other processes do is not counted."""
    seconds: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for taken, run in zip(seconds, runs, strict=True):
            started = clock()
            run()
            taken.append(clock() - started)
    return [statistics.median(taken) for taken in seconds]
