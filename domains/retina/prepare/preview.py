"""One picture of the data: some eyes of each split, and what is known of the persons."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipelines.core.figures import save

from .arrays import FOUND, SPLITS, Eyes, Target

matplotlib.use("Agg")

_COLOURS = dict(zip(SPLITS, ("#0072B2", "#E69F00", "#009E73"), strict=True))  # Okabe & Ito
_PRESENT = {FOUND, "yes", "true", "1"}  # which say less than the target's name
_OTHER = {"male": "female", "female": "male"}
_SHOWN, _MOST = 6, 4  # eyes of a split, distributions


def draw_preview(path: Path, eyes: Eyes) -> None:
    """A row of eyes for each split; below, how the targets are distributed in each."""
    shown = eyes.targets[:_MOST]
    figure = Figure(figsize=(10.5, 8.2), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=[3.0, 1.05])
    grid = upper.subplots(len(SPLITS), _SHOWN, squeeze=False)
    for line, split in zip(grid, SPLITS, strict=True):
        _draw_eyes(line, eyes, split)
    axes = lower.subplots(1, len(shown), squeeze=False)[0]
    people = eyes.table.drop_duplicates("patient")
    for one, target in zip(axes, shown, strict=True):
        (_draw_values if target.kind == "value" else _draw_shares)(one, people, target)
    axes[0].legend(fontsize=7, frameon=False)
    save(figure, path)


def _draw_eyes(line: Sequence[Axes], eyes: Eyes, split: str) -> None:
    for axes in line:
        axes.set_axis_off()
    table = eyes.table[(eyes.table["split"] == split) & eyes.table["usable"]]
    both = table.groupby("patient")["eye"].transform("size") == 2
    chosen = table.index[both] if both.sum() >= _SHOWN else table.index
    for axes, row in zip(line, chosen, strict=False):
        axes.imshow(eyes.images[row], interpolation="lanczos")
        axes.set_title(_label(eyes, row), fontsize=7)
    line[0].text(
        -0.06, 0.5, split, transform=line[0].transAxes, rotation=90, va="center", ha="right"
    )


def _label(eyes: Eyes, row: int) -> str:
    person = eyes.table.iloc[row]
    parts = []
    for target in eyes.targets:
        value = person[target.name]
        if pd.isna(value):
            continue
        if target.kind == "value":
            parts.append(f"{target.name} {value:.3g}")
        elif target.positive.lower() in _PRESENT:
            parts += [target.name.replace("_", " ")] * bool(value)
        else:
            other = _OTHER.get(target.positive, f"no {target.positive}")
            parts.append(target.positive if value else other)
    halves = [", ".join(parts[:_MOST][k : k + 2]) for k in (0, 2)]
    return "\n".join([f"{person['patient']} {person['eye']}".strip(), *filter(None, halves)])


def _draw_values(axes: Axes, people: pd.DataFrame, target: Target) -> None:
    known = people[target.name].dropna()
    bins = np.histogram_bin_edges(known, bins=24) if len(known) else np.linspace(0, 1, 3)
    for split in SPLITS:
        values = people.loc[people["split"] == split, target.name].dropna()
        if len(values):
            weights = np.full(len(values), 100 / len(values))
            axes.hist(
                values, bins, weights=weights, histtype="step", color=_COLOURS[split], label=split
            )
    axes.set_xlabel(f"{target.name} ({target.unit})" if target.unit else target.name)
    axes.set_ylabel("% of patients")


def _draw_shares(axes: Axes, people: pd.DataFrame, target: Target) -> None:
    shares = [100 * people.loc[people["split"] == s, target.name].mean() for s in SPLITS]
    axes.bar(SPLITS, shares, color=[_COLOURS[s] for s in SPLITS])
    axes.set_ylabel(f"{target.positive} (% of patients)")
    axes.set_xlabel(target.name.replace("_", " "))
