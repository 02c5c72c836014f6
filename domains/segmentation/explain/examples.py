"""The picture of the result: test images with the true and the predicted outlines."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from pipelines.core.figures import save

from ..evaluate.counts import tally
from ..evaluate.scores import overall
from ..predict.instances import Rule
from ..predict.network import Segmentation
from ..predict.tune import decide
from ..prepare.arrays import Sample
from ..prepare.preview import BLUE, compare, legend, scale_bar, show_image

EDGE_PX = 288
BLUES = ListedColormap([BLUE])


def draw_examples(
    out: Path,
    samples: Sequence[Sample],
    labels: Sequence[np.ndarray],
    control: Segmentation,
    rule: Rule,
    count: int,
) -> tuple[dict[str, str], dict[str, Any]]:
    """Write examples.png: windows of test samples, the fullest of each; and the control's Dice."""
    form = control.form
    chosen = np.unique(np.linspace(0, len(samples) - 1, count).round().astype(int))
    figure = Figure(figsize=(3.4 * len(chosen), 10.6), layout="constrained")
    grid = figure.subplots(3, len(chosen), squeeze=False)
    cut, shuffled = [], []
    for column, k in enumerate(chosen):
        sample = samples[k]
        window = fullest(sample.mask, EDGE_PX)
        part = Sample("", "", "", sample.image[window], sample.mask[window])
        whole = decide(control(sample.image), form, rule)
        cut.append(part)
        shuffled.append(whole[window])
        for axes in grid[:, column]:
            # The intensity scale of the whole image: the window's own would be another one.
            show_image(axes, sample.image, form)
            axes.set_xlim(window[1].start, window[1].stop)
            axes.set_ylim(window[0].stop, window[0].start)
        compare(grid[1, column], sample.mask, labels[k], form)
        compare(grid[2, column], sample.mask, whole, form)
        # Where nearly all is called foreground hardly a line is left to see.
        grid[2, column].imshow(np.ma.masked_equal(whole > 0, 0), cmap=BLUES, alpha=0.35, vmin=0)
        grid[0, column].set_title(f"test, {sample.name}", fontsize=10)
        scale_bar(grid[0, column], window, form)
    for axes, name in zip(grid[:, 0], ("image", "network", "randomised weights"), strict=True):
        axes.set_ylabel(name, fontsize=10)
    legend(figure, form)
    save(figure, out / "examples.png")
    value = overall(tally(cut, shuffled, form), form, "dice")
    return _entry(value), {"dice in the examples, randomised weights": value}


def _entry(dice_of_control: float) -> dict[str, str]:
    caption = (
        "Test regions that the network never saw (above), its outlines over the true ones "
        "(middle), and the control: the same network with its weights shuffled (below; what it "
        f"takes for foreground is tinted blue; Dice {dice_of_control:.2f} in these windows)."
    )
    return {"file": "examples.png", "title": "Found in test images", "caption": caption}


def fullest(mask: np.ndarray, edge: int) -> tuple[slice, slice]:
    """The window of at most `edge` px a side with most annotated foreground, of several such the
    one nearest to their middle."""
    height, width = (min(edge, n) for n in mask.shape)
    inside = np.pad(np.cumsum(np.cumsum((mask > 0).astype(np.int64), 0), 1), ((1, 0), (1, 0)))
    sums = (
        inside[height:, width:]
        - inside[:-height, width:]
        - inside[height:, :-width]
        + inside[:-height, :-width]
    )
    places = np.argwhere(sums == sums.max())
    y, x = places[np.argmin(((places - places.mean(axis=0)) ** 2).sum(axis=1))]
    return slice(int(y), int(y) + height), slice(int(x), int(x) + width)
