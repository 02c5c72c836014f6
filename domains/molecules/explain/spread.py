"""Are the molecules of the right kind? Their properties beside those of real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipelines.chemistry.properties import properties_of
from pipelines.core.figures import bare, save

from .drawing import SETS, WIDTH, Entry
from .sets import Sets

LABELS = {
    "qed": "drug-likeness (QED)",
    "logp": "logP (octanol-water)",
    "weight": "molecular weight (Da)",
    "sa": "synthetic accessibility\n(SA score, 1 is easy)",
}
_BINS = 40


def draw_spread(out: Path, sets: Sets) -> Entry:
    """Write properties.png: distributions of training, test and generated molecules."""
    count = len(sets.generated)
    written = sets.draws[sets.draws["valid"]].iloc[:count]
    values = {"train": properties_of(sets.train.smiles), "test": properties_of(sets.test.smiles)}
    values["generated"] = {name: written[name].to_numpy(np.float64) for name in LABELS}
    values = {name: found for name, found in values.items() if len(found["qed"])}
    figure = Figure(figsize=(WIDTH, 3.1), layout="constrained")
    panels = figure.subplots(1, len(LABELS))
    for axes, (name, label) in zip(panels, LABELS.items(), strict=True):
        _draw(axes, {row: found[name] for row, found in values.items()}, label)
    panels[0].set_ylabel("density")
    handles, labels = panels[0].get_legend_handles_labels()
    labels = [f"{label} ({len(values[label]['qed']):,})" for label in labels]
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
    save(figure, out / "properties.png")
    entry = {
        "file": "properties.png",
        "title": "Properties of the molecules",
        "caption": _caption(values),
    }
    return entry, {}


def _draw(axes: Axes, values: dict[str, NDArray[np.float64]], label: str) -> None:
    every = np.concatenate(list(values.values()))
    low, high = np.percentile(every, [0.2, 99.8])
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    for name, numbers in values.items():
        colour, style = SETS[name]
        weights = np.full(len(numbers), 1 / len(numbers) / (edges[1] - edges[0]))
        options = {"histtype": "step", "color": colour, "linestyle": style, "linewidth": 1.4}
        if name == "train":
            options = {"histtype": "stepfilled", "color": "#D9D9D9"}
        axes.hist(np.clip(numbers, low, edges[-1]), edges, weights=weights, label=name, **options)
    axes.set_xlabel(label)
    axes.set_yticks([])
    bare(axes)


def _caption(values: dict[str, dict[str, NDArray[np.float64]]]) -> str:
    names = {"qed": ("QED", 2), "logp": ("logP", 2), "weight": ("weight (Da)", 0), "sa": ("SA", 2)}
    medians = [
        f"{label} " + ", ".join(f"{np.median(found[name]):.{places}f}" for found in values.values())
        for name, (label, places) in names.items()
    ]
    caption = (
        "How four properties are distributed; what lies beyond the axis is counted in its first or "
        f"last bin. Medians ({', '.join(values)}): {'; '.join(medians)}."
    )
    if "generated" not in values:
        caption += " No valid molecule was generated."
    return caption
