"""One picture of the data: molecules of either end, labels of each split, likeness to train."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipelines.chemistry.drawing import CELL, picture_of
from pipelines.chemistry.nearest import nearest
from pipelines.core.figures import DPI, bare, save

from .arrays import SPLITS, Target, read_counts

matplotlib.use("Agg")

# Okabe & Ito's palette, readable with any colour vision; one line style each besides.
STYLES = {
    "train": ("#000000", "-"),
    "validation": ("#009E73", "-."),
    "test": ("#0072B2", "--"),
    "library": ("#D55E00", ":"),
}
DRAWN = 6  # molecules a row
_BINS = 24


def draw_preview(path: Path, molecules: pd.DataFrame, targets: list[Target], folder: Path) -> None:
    """Two rows of molecules by the first target, and histograms; folder: with fingerprints.npz."""
    target = targets[0]
    heights = [2 * (CELL[1] / DPI + 0.3), 2.8]
    figure = Figure((DRAWN * CELL[0] / DPI, sum(heights)), dpi=DPI, layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=heights)
    for axes, (title, chosen) in zip(above.subplots(2, 1), _ends(molecules, target), strict=True):
        axes.imshow(picture_of(chosen, DRAWN))
        axes.set_title(title, loc="left", fontsize=11, fontweight="bold", pad=3)
        axes.set_axis_off()
    left, middle, right = below.subplots(1, 3)
    _draw_labels(left, molecules, target)
    _draw_sizes(middle, molecules)
    _draw_likeness(right, molecules["split"].to_numpy(), folder)
    handles, labels = right.get_legend_handles_labels()
    below.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    save(figure, path)


def _ends(molecules: pd.DataFrame, target: Target) -> list[tuple[str, list[str]]]:
    """Titles and SMILES: of both classes, spread over their rows, or of both ends of the values."""
    table = molecules.dropna(subset=target.name)
    if target.kind == "class":
        parts = {f"{target.name}: {target.positive}": 1, f"{target.name}: not {target.positive}": 0}
        return [(title, _spread(table, target.name, label)) for title, label in parts.items()]
    ranked = table.sort_values(target.name, kind="stable")
    named = f"{target.name} ({target.unit})"
    return [
        (f"{named}: highest", ranked["smiles"].tolist()[::-1][:DRAWN]),
        (f"{named}: lowest", ranked["smiles"].tolist()[:DRAWN]),
    ]


def _spread(table: pd.DataFrame, name: str, label: int) -> list[str]:
    smiles = table.loc[table[name] == label, "smiles"].tolist()
    places = np.linspace(0, len(smiles) - 1, min(DRAWN, len(smiles))).astype(int)
    return [smiles[k] for k in places]


def _draw_labels(axes: Axes, molecules: pd.DataFrame, target: Target) -> None:
    labels = {
        split: molecules.loc[molecules["split"] == split, target.name].dropna().to_numpy()
        for split in SPLITS
    }
    if target.kind == "value":
        _draw_histograms(axes, labels, f"{target.name} ({target.unit})")
        return
    shares = [labels[split].mean() for split in SPLITS]
    bars = axes.bar(SPLITS, shares, color=[STYLES[split][0] for split in SPLITS], width=0.6)
    counts = [f"{int(labels[split].sum()):,} of {len(labels[split]):,}" for split in SPLITS]
    axes.bar_label(bars, counts, padding=3)
    axes.set_ylim(0, max(shares) * 1.2)
    axes.set_ylabel(f"share of {target.positive}")
    bare(axes)


def _draw_sizes(axes: Axes, molecules: pd.DataFrame) -> None:
    groups = molecules.groupby("split")["group"].value_counts()
    sizes = {split: np.sort(groups[split].to_numpy())[::-1] for split in SPLITS}
    for split, size in sizes.items():
        colour, style = STYLES[split]
        rank = np.arange(1, len(size) + 1)
        axes.plot(rank, np.cumsum(size) / size.sum(), color=colour, linestyle=style)
    axes.set_xscale("log")
    axes.set_xlabel("groups kept together, largest first")
    axes.set_ylabel("share of the split")
    bare(axes)


def _draw_likeness(axes: Axes, splits: NDArray[np.object_], folder: Path) -> None:
    bits = np.packbits(read_counts(folder, "molecules") > 0, axis=1)
    others = np.packbits(read_counts(folder, "library") > 0, axis=1)
    known = bits[splits == "train"]
    likeness = {"train": nearest(known)}
    likeness |= {split: nearest(bits[splits == split], known) for split in SPLITS[1:]}
    if len(others):
        likeness["library"] = nearest(others, known)
    for name, similarity in likeness.items():
        colour, style = STYLES[name]
        axes.ecdf(similarity, color=colour, linestyle=style, label=f"{name} ({len(similarity):,})")
    axes.set_xlabel("similarity to the nearest of train (Tanimoto)")
    axes.set_ylabel("share of molecules up to it")
    bare(axes)


def _draw_histograms(axes: Axes, values: dict[str, NDArray[np.float64]], label: str) -> None:
    every = np.concatenate(list(values.values()))
    edges = np.linspace(every.min(), every.max(), _BINS + 1)
    for name, numbers in values.items():
        colour, style = STYLES[name]
        weights = np.full(len(numbers), 1 / len(numbers))
        options = {"histtype": "step", "color": colour, "linestyle": style}
        axes.hist(numbers, edges, weights=weights, **options)
    axes.set_xlabel(label)
    axes.set_ylabel("share of molecules")
    bare(axes)
