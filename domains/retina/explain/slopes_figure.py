"""The picture of recovered slopes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipelines.core.figures import bare, save

from .drawing import BLUE, COLOURS, GREY, MARKERS, VERMILION, WIDTH, named

_NAMES = {
    "crae_um": "arteriolar calibre",
    "crve_um": "venular calibre",
    "tortuosity_artery": "arterial tortuosity",
    "tortuosity_vein": "venous tortuosity",
    "cup_disc": "cup/disc ratio",
}


@dataclass(frozen=True)
class Recovered:
    """Slopes (features, factors) in deviations of the feature per deviation of the factor:
    `planted`, `found`, and the bounds `low`, `high` of the 95 % interval."""

    features: list[str]
    factors: list[str]
    planted: np.ndarray
    found: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def covered(self) -> np.ndarray:
        """Whether the interval holds what was planted."""
        return (self.low <= self.planted) & (self.planted <= self.high)


def short(feature: str) -> str:
    """A feature's name in words."""
    return _NAMES.get(feature, feature.replace("_", " "))


def draw(
    path: Path, found: Recovered, quality: dict[str, dict[str, float]], readable: float
) -> None:
    """Slopes that were planted, slopes that were not, and how well the anatomy is read.

    quality: reader to R² of each feature; readable: the least R² that is used.
    """
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=[1.25, 0.85, 0.8])
    bounds = np.abs(np.concatenate([found.planted.ravel(), found.low.ravel(), found.high.ravel()]))
    reach = 1.08 * bounds.max(initial=0.1)
    _draw_planted(left, found, reach)
    _draw_others(middle, found, reach)
    for axes in (left, middle):
        axes.set_ylim(-reach, reach)
        bare(axes)
    _draw_quality(right, quality, readable)
    handles, labels = middle.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    save(figure, path)


def _draw_planted(axes: Axes, found: Recovered, reach: float) -> None:
    wide = 1.35 * np.abs(found.planted).max(initial=0.1)
    axes.plot([-reach, reach], [-reach, reach], color=GREY, linewidth=0.8)
    axes.axhline(0, color=GREY, linewidth=0.6, linestyle=":")
    for k in range(len(found.factors)):
        for row in np.flatnonzero(found.planted[:, k]):
            x, y = found.planted[row, k], found.found[row, k]
            _bar(axes, x, found, row, k)
            axes.annotate(
                short(found.features[row]),
                (x, y),
                (8 if x < 0 else -8, -9 if row % 2 else 3),
                textcoords="offset points",
                ha="left" if x < 0 else "right",
                fontsize=7,
                color=COLOURS[k % 7],
            )
    axes.set_xlim(-wide, wide)
    axes.set_title("Planted", fontsize=10)
    axes.set_xlabel("planted slope (deviations of the feature\nper deviation of the risk factor)")
    axes.set_ylabel("slope of what the network measures")


def _draw_others(axes: Axes, found: Recovered, reach: float) -> None:
    """Those that were not planted, side by side, which are all to be zero."""
    axes.axhline(0, color=GREY, linewidth=0.8)
    place = 0
    for k, factor in enumerate(found.factors):
        axes.plot([], [], MARKERS[k % 7], color=COLOURS[k % 7], label=f"on {named(factor)}")
        for row in np.flatnonzero(found.planted[:, k] == 0):
            _bar(axes, place, found, row, k)
            place += 1
    axes.set_xlim(-1, max(place, 1))
    axes.set_xticks([])
    axes.set_title("Not planted", fontsize=10)
    axes.set_xlabel(f"{place} pairs of feature\nand risk factor")


def _bar(axes: Axes, x: float, found: Recovered, row: int, k: int) -> None:
    y = found.found[row, k]
    error = np.maximum([[y - found.low[row, k]], [found.high[row, k] - y]], 0)
    style = {"fmt": MARKERS[k % 7], "color": COLOURS[k % 7], "markersize": 5, "elinewidth": 1}
    axes.errorbar(x, y, error, **style)


def _draw_quality(axes: Axes, quality: dict[str, dict[str, float]], readable: float) -> None:
    names = list(quality["network"])
    places = np.arange(len(names))
    pairs = zip(quality.items(), (BLUE, VERMILION), strict=True)
    for k, ((who, values), colour) in enumerate(pairs):
        heights = np.maximum([values[n] for n in names], 0)
        bars = axes.barh(places + (k - 0.5) * 0.38, heights, 0.36, color=colour, label=who)
        axes.bar_label(bars, [f"{h:.2f}" for h in heights], fontsize=7.5, padding=2)
    axes.axvline(readable, color="black", linewidth=0.8, linestyle=":")
    axes.set_yticks(places, [short(n) for n in names], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.2)
    axes.set_xticks([0, 0.5, 1])
    axes.set_title("Read at all?", fontsize=10)
    axes.set_xlabel("R² of the measurement,\nvalidation persons")
    axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.2))
    bare(axes)
