"""One picture of the data: some molecules of each split, and how their properties are spread."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from rdkit import Chem
from rdkit.Chem import Crippen, Descriptors, rdMolDescriptors

from pipelines.chemistry.drawing import CELL, picture_of
from pipelines.core.figures import DPI, bare, save

from .tokens import tokenize

matplotlib.use("Agg")

# Okabe & Ito's palette, readable with any colour vision; one line style each besides.
SHOWN = {
    "train": ("train", "#000000", "-"),
    "test": ("test", "#0072B2", "--"),
    "test_scaffolds": ("test, new scaffolds", "#D55E00", ":"),
}
DRAWN = 6  # molecules a row
SAMPLE = 2000  # molecules of a split in a histogram
_BINS = 24

PROPERTIES = {
    "tokens": lambda mol, text: len(tokenize(text)),
    "molecular weight (Da)": lambda mol, text: Descriptors.MolWt(mol),
    "logP (Wildman & Crippen)": lambda mol, text: Crippen.MolLogP(mol),
    "polar surface area (Å²)": lambda mol, text: rdMolDescriptors.CalcTPSA(mol),
}


def draw_preview(path: Path, splits: dict[str, list[str]]) -> None:
    """Rows of drawn molecules above the histograms; splits: each in random order."""
    shown = {name: splits[name][:SAMPLE] for name in SHOWN if splits[name]}
    width = DRAWN * CELL[0] / DPI
    heights = [len(shown) * (CELL[1] / DPI + 0.3), 2.5]
    figure = Figure(figsize=(width, sum(heights)), dpi=DPI, layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=heights)
    rows = above.subplots(len(shown), 1, squeeze=False)[:, 0]
    for axes, (name, texts) in zip(rows, shown.items(), strict=True):
        _draw_molecules(axes, texts[:DRAWN], SHOWN[name][0])
    _draw_properties(below, shown, {name: len(splits[name]) for name in shown})
    save(figure, path)


def _draw_molecules(axes: Axes, texts: Sequence[str], title: str) -> None:
    axes.imshow(picture_of(texts, DRAWN))
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", pad=3)
    axes.set_axis_off()


def _draw_properties(figure: SubFigure, shown: dict[str, list[str]], sizes: dict[str, int]) -> None:
    mols = {name: [Chem.MolFromSmiles(text) for text in texts] for name, texts in shown.items()}
    panels = figure.subplots(1, len(PROPERTIES))
    for axes, (label, measure) in zip(panels, PROPERTIES.items(), strict=True):
        values = {
            name: [measure(mol, text) for mol, text in zip(mols[name], texts, strict=True)]
            for name, texts in shown.items()
        }
        _draw_histogram(axes, values, label)
    panels[0].set_ylabel("share of molecules")
    handles, labels = panels[0].get_legend_handles_labels()
    counts = [
        f"{label} ({len(texts):,} of {sizes[name]:,})"
        for label, (name, texts) in zip(labels, shown.items(), strict=True)
    ]
    figure.legend(handles, counts, loc="outside lower center", ncols=len(shown), frameon=False)


def _draw_histogram(axes: Axes, values: dict[str, list[float]], label: str) -> None:
    every = np.concatenate(list(values.values()))
    low, high = np.percentile(every, [0.2, 99.8])
    edges = np.linspace(low, max(high, low + 1), _BINS + 1)
    if label == "tokens":
        step = max(1, round((high - low) / _BINS))
        edges = np.arange(np.floor(low), high + 1 + step, step) - 0.5
    for name, numbers in values.items():
        title, colour, style = SHOWN[name]
        weights = np.full(len(numbers), 1 / len(numbers))
        options = {"histtype": "step", "color": colour, "linestyle": style, "label": title}
        axes.hist(np.clip(numbers, edges[0], edges[-1]), edges, weights=weights, **options)
    axes.set_xlabel(label)
    bare(axes)
