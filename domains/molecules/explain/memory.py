"""New or memorised? How near the molecules are to those that were learnt from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipelines.chemistry.nearest import nearest
from pipelines.core.figures import bare, save
from pipelines.statistics.bootstrap import Interval
from pipelines.statistics.wording import spelt
from pipelines.training.precision import computing_device

from ..evaluate.intervals import share
from .drawing import SETS, WIDTH, Entry
from .sets import Molecules, Sets

_OF = {
    "generated": "generated molecules",
    "test": "test molecules",
    "test, new scaffolds": "test molecules with new scaffolds",
}
_EDGES = np.linspace(0, 1, 51)


def draw_memory(out: Path, sets: Sets) -> Entry:
    """Write memory.png: similarity to the nearest training molecule, and what is known of it."""
    valid = sets.draws[sets.draws["valid"]]
    near = {"generated": valid["similarity"].to_numpy(np.float64)[: len(sets.generated)]}
    near |= {name: similarity(found, sets.known) for name, found in sets.held_out.items()}
    near = {name: values for name, values in near.items() if len(values)}
    compared = {"generated": sets.generated, **sets.held_out}
    fewest = min((len(values) for values in near.values()), default=0)
    known = set(sets.known.scaffolds)
    scaffolds = {name: known_scaffolds(compared[name][:fewest], known) for name in near}
    copied = share(int(valid["in_train"].sum()), len(valid))
    figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.6, 1])
    _draw_similarities(left, near)
    _draw_scaffolds(right, scaffolds)
    save(figure, out / "memory.png")
    entry = {
        "file": "memory.png",
        "title": "New or memorised?",
        "caption": _caption(len(sets.known), fewest, copied, near),
    }
    return entry, _findings(copied, scaffolds, near)


def _findings(
    copied: Interval, scaffolds: dict[str, Interval], near: dict[str, NDArray[np.float64]]
) -> dict[str, float | int | str]:
    shares = {"training molecules among the valid draws, share": copied}
    shares |= {
        f"training scaffolds among those of {_OF[name]}, share": found
        for name, found in scaffolds.items()
    }
    found: dict[str, float | int | str] = {
        name: spelt(value, 4) for name, value in shares.items() if np.isfinite(value.value)
    }
    return found | {
        f"similarity of {_OF[name]} to the nearest training molecule, median": float(np.median(v))
        for name, v in near.items()
    }


def similarity(molecules: Molecules, known: Molecules) -> NDArray[np.float64]:
    """(n,) Tanimoto coefficient of each with the most similar training molecule."""
    return nearest(molecules.bits, known.bits, computing_device())


def known_scaffolds(molecules: Molecules, known: set[str]) -> Interval:
    """Share of the distinct scaffolds that training molecules have, too."""
    distinct = set(molecules.scaffolds) - {""}
    return share(len(distinct & known), len(distinct))


def _draw_similarities(axes: Axes, near: dict[str, NDArray[np.float64]]) -> None:
    for name, values in near.items():
        colour, style = SETS[name]
        weights = np.full(len(values), 100 / len(values))
        options = {"histtype": "step", "color": colour, "linestyle": style, "linewidth": 1.6}
        label = f"{name}, median {np.median(values):.2f}"
        axes.hist(values, _EDGES, weights=weights, label=label, **options)
    axes.set_xlim(max(0, min((v.min() for v in near.values()), default=0) - 0.03), 1.01)
    axes.set_xlabel("Tanimoto similarity to the nearest training molecule")
    axes.set_ylabel("molecules (% a bin of 0.02)")
    if near:
        axes.legend(frameon=False, loc="upper left", fontsize=9)
        axes.set_ylim(top=axes.get_ylim()[1] * 1.25)
    bare(axes)


def _draw_scaffolds(axes: Axes, scaffolds: dict[str, Interval]) -> None:
    for k, (name, found) in enumerate(scaffolds.items()):
        if np.isnan(found.value):
            continue
        error = [[100 * (found.value - found.low)], [100 * (found.high - found.value)]]
        axes.barh(k, 100 * found.value, 0.6, color=SETS[name][0], xerr=error, capsize=3)
        axes.text(100 * found.high + 2, k, f"{100 * found.value:.1f} %", va="center", fontsize=9)
    axes.set_yticks(range(len(scaffolds)), [name.replace(", ", ",\n") for name in scaffolds])
    axes.invert_yaxis()
    axes.set_xlim(0, 118)
    axes.set_xticks([0, 25, 50, 75, 100])
    axes.set_xlabel("scaffolds known from training (%)")
    bare(axes)


def _caption(
    known: int, fewest: int, copied: Interval, near: dict[str, NDArray[np.float64]]
) -> str:
    caption = (
        f"Left: how near molecules are to the nearest of {known:,} training molecules; 1 is a "
        "molecule that the fingerprint (Morgan, radius 2) cannot tell from one. A writer that "
        "recites lies to the right of the test molecules, which were never shown to it; one that "
        "has learnt the kind of molecule lies on them; what lies to their left is less like the "
        "data than real molecules are. Right: of the distinct scaffolds (ring "
        f"systems with their linkers, two rings or more) of {fewest:,} molecules of each set, the "
        "share that occurs in training, with 95 % intervals."
    )
    if "generated" not in near:
        return caption + " No valid molecule was generated."
    exact = f" {100 * copied.value:.2f} % of the valid draws are training molecules exactly."
    if "test, new scaffolds" in near:
        exact += " The scaffolds of the second test set were left out of training on purpose."
    return caption + exact
