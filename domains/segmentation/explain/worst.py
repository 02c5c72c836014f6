"""Where the network is most wrong."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from pipelines.core.figures import save

from ..predict.instances import Rule
from ..predict.matching import object_table
from ..predict.network import Segmentation
from ..predict.tune import decide
from ..prepare.arrays import Format, Sample
from ..prepare.preview import compare, legend, show_image

EDGE_PX = 80
COLUMNS = 4


def draw_worst(
    out: Path,
    samples: Sequence[Sample],
    labels: Sequence[np.ndarray],
    control: Segmentation,
    rule: Rule,
    count: int,
) -> tuple[dict[str, str], dict[str, Any]]:
    """Write worst.png; return its entry and the mean overlap of objects, control included."""
    form = control.form
    errors = sorted(
        (
            (score, k, centre)
            for k in range(len(samples))
            for score, centre in _errors(samples[k].mask, labels[k], form)
        ),
        key=lambda e: e[:2],
    )
    _draw(out / "worst.png", errors[:count], samples, labels, form)
    mean = float(np.mean([e[0] for e in errors])) if errors else 1.0
    random = decide(control(samples[0].image), form, rule)
    failed = [score for score, _ in _errors(samples[0].mask, random, form)]
    low = float(np.mean(failed)) if failed else 0.0
    what = "objects, true or predicted" if form.labels == "instances" else "windows"
    caption = (
        f"The {len(errors[:count])} test {what}, that agree least with the other side, {EDGE_PX} "
        f"px a panel. Mean agreement of all {len(errors)}: {mean:.2f}; of the control, the network "
        f"with its weights shuffled, on one test image: {low:.2f}."
    )
    entry = {"file": "worst.png", "title": "Largest errors", "caption": caption}
    names = ("mean agreement of objects", "mean agreement of objects, randomised weights")
    return entry, dict(zip(names, (mean, low), strict=True))


def _draw(
    path: Path,
    chosen: Sequence[tuple[float, int, tuple]],
    samples: Sequence[Sample],
    labels: Sequence[np.ndarray],
    form: Format,
) -> None:
    """A panel for each (agreement, sample, centre)."""
    rows = max(1, -(-len(chosen) // COLUMNS))
    figure = Figure(figsize=(10, 2.75 * rows + 0.4), layout="constrained")
    grid = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axes in grid[len(chosen) :]:
        axes.set_visible(False)
    for axes, (score, k, centre) in zip(grid, chosen, strict=False):
        show_image(axes, samples[k].image, form)
        compare(axes, samples[k].mask, labels[k], form)
        axes.set_xlim(centre[1] - EDGE_PX / 2, centre[1] + EDGE_PX / 2)
        axes.set_ylim(centre[0] + EDGE_PX / 2, centre[0] - EDGE_PX / 2)
        axes.set_facecolor("0.8")
        measure = "IoU" if form.labels == "instances" else "right"
        axes.set_title(f"{samples[k].name}, {measure} {score:.2f}", fontsize=9)
    legend(figure)
    save(figure, path)


def _errors(mask: np.ndarray, said: np.ndarray, form: Format) -> list[tuple[float, tuple]]:
    """(agreement, centre) of each object that is not left out, or of windows for classes.

    Agreement is the largest IoU with an object of the other side, or the share of right pixels.
    """
    if form.labels == "instances":
        return object_table(mask, said)
    found = []
    for y in range(0, mask.shape[0], EDGE_PX):
        for x in range(0, mask.shape[1], EDGE_PX):
            window = np.s_[y : y + EDGE_PX, x : x + EDGE_PX]
            known = mask[window] >= 0
            if known.any():
                right = float((mask[window] == said[window])[known].mean())
                found.append((right, (y + EDGE_PX / 2, x + EDGE_PX / 2)))
    return found
