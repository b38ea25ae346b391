"""The picture of docs/peers.md: model calls and tokens, for each scenario and setting."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from ._page import Counted, total
from ._settings import OURS

_OURS, _OTHERS = "#3f51b5", "#b0bec5"


def draw(counted: Counted, path: Path) -> None:
    """Write the SVG file; the same numbers give the same file."""
    mpl.rcParams.update({"svg.hashsalt": "peers", "svg.fonttype": "none", "font.size": 9})
    ratios = [len(rows) for _, rows in counted]
    figure = Figure(figsize=(10, 0.27 * sum(ratios) + 0.6 * len(ratios)), layout="constrained")
    axes: Any = figure.subplots(len(counted), 2, height_ratios=ratios, squeeze=False)
    for (left, right), (scenario, rows) in zip(axes, counted, strict=True):
        names = list(rows)
        _bars(left, names, [one.calls for one in rows.values()], f"{scenario.name}: model calls")
        _bars(right, names, [total(one) for one in rows.values()], f"{scenario.name}: tokens sent")
        right.set_yticks([])
    figure.savefig(path, format="svg", metadata={"Date": None})


def _bars(axes: Any, names: list[str], values: list[int], title: str) -> None:
    bars = axes.barh(names, values, color=[_OURS if name == OURS else _OTHERS for name in names])
    axes.bar_label(bars, labels=[f"{value:,}" for value in values], padding=3)
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlim(0, max(values) * 1.15)
    axes.set_xticks([])
    axes.invert_yaxis()
    axes.spines[["top", "right", "bottom"]].set_visible(False)
