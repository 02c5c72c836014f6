"""Where the network is most wrong."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy import ndimage

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
    edge = _edge(samples, form)
    _draw(out / "worst.png", errors[:count], samples, labels, form, edge)
    random = decide(control(samples[0].image), form, rule)
    failed = [score for score, _ in _errors(samples[0].mask, random, form)]
    objects = form.labels == "instances"
    entry = {
        "file": "worst.png",
        "title": "Largest errors",
        "caption": _caption(errors[:count], [e[0] for e in errors], failed, edge, objects),
    }
    name = f"mean agreement of {'objects' if objects else 'windows'}"
    found = {name: [e[0] for e in errors], f"{name}, randomised weights": failed}
    return entry, {name: float(np.mean(scores)) for name, scores in found.items() if scores}


def _caption(
    shown: Sequence[object], scores: list[float], control: list[float], edge: int, objects: bool
) -> str:
    what = "objects, true or predicted," if objects else "windows"
    if not scores:
        return f"None of the test {what} can be compared with the other side."
    text = (
        f"The {len(shown)} test {what} that agree least with the other side, {edge} px a panel. "
        f"Mean agreement of all {len(scores)}: {np.mean(scores):.2f}"
    )
    if control:
        text += (
            "; of the control, the network with its weights shuffled, on one test image: "
            f"{np.mean(control):.2f}"
        )
    return f"{text}."


def _edge(samples: Sequence[Sample], form: Format) -> int:
    """Of a panel, px: room for nearly every true object."""
    if form.labels != "instances":
        return EDGE_PX
    boxes = [b for s in samples for b in ndimage.find_objects(np.maximum(s.mask, 0)) if b]
    sizes = [max(side.stop - side.start for side in box) for box in boxes]
    return max(EDGE_PX, round(1.4 * float(np.percentile(sizes, 95)))) if sizes else EDGE_PX


def _draw(
    path: Path,
    chosen: Sequence[tuple[float, int, tuple]],
    samples: Sequence[Sample],
    labels: Sequence[np.ndarray],
    form: Format,
    edge: int,
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
        axes.set_xlim(centre[1] - edge / 2, centre[1] + edge / 2)
        axes.set_ylim(centre[0] + edge / 2, centre[0] - edge / 2)
        axes.set_facecolor("0.8")
        measure = "IoU" if form.labels == "instances" else "right"
        axes.set_title(f"{samples[k].name}, {measure} {score:.2f}", fontsize=9)
    legend(figure, form)
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
