"""One picture of the data: some samples of each split with their masks' outlines."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .arrays import SPLITS, Format, Sample
from .intensity import normalise

matplotlib.use("Agg")

# Okabe & Ito's palette, readable with any colour vision.
ORANGE, BLUE, GREEN, VERMILION = "#E69F00", "#56B4E9", "#009E73", "#D55E00"
PURPLE, YELLOW = "#CC79A7", "#F0E442"
CLASS_COLOURS = (ORANGE, BLUE, GREEN, YELLOW, VERMILION, PURPLE)


def save(figure: Figure, path: Path) -> None:
    """Write a PNG whose bytes depend on its content only."""
    figure.savefig(path, dpi=150, metadata={"Software": None})


def show_image(axes: Axes, image: np.ndarray, form: Format) -> None:
    """Draw an image on its normalised intensity scale, without ticks."""
    shown = normalise(image, form)
    axes.imshow(shown if form.channels == 3 else shown[..., 0], cmap="gray", vmin=0, vmax=1)
    axes.set_xticks([])
    axes.set_yticks([])


def outline(axes: Axes, mask: np.ndarray, colour: str | None, form: Format, **style: object) -> None:
    """Draw the outline of every object (or class, in the colours of classes if colour is None)."""
    options = {"linewidths": 0.8, **style}
    labels = [k for k in np.unique(mask) if k > 0]
    for label in labels:
        where = np.argwhere(mask == label)
        low, high = np.maximum(where.min(0) - 1, 0), where.max(0) + 2
        part = np.pad(mask[low[0] : high[0], low[1] : high[1]] == label, 1)
        rows, columns = (np.arange(n) + start - 1 for n, start in zip(part.shape, low, strict=True))
        shade = colour or CLASS_COLOURS[(int(label) - 1) % len(CLASS_COLOURS)]
        axes.contour(columns, rows, part, [0.5], colors=shade, **options)


def scale_bar(axes: Axes, shape: tuple[int, int], form: Format) -> None:
    """A white bar of a round length in the lower left corner, if the pixel size is known."""
    if form.pixel_size_um is None:
        return
    wanted = shape[1] * form.pixel_size_um / 4
    length = max(n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if n <= max(wanted, 1))
    pixels = length / form.pixel_size_um
    x, y = 0.04 * shape[1], shape[0] * 0.97
    axes.plot([x, x + pixels], [y, y], color="white", linewidth=2.5, solid_capstyle="butt")
    axes.text(
        x + pixels / 2, y - 0.012 * shape[0], f"{length} µm", color="white", ha="center", fontsize=8
    )


def draw_preview(path: Path, samples: Sequence[Sample], form: Format, columns: int = 3) -> None:
    """Up to `columns` samples of each split; outlines of the masks, the ignored part shaded."""
    chosen = []
    for split in SPLITS:
        of_split = [s for s in samples if s.split == split]
        step = max(1, (len(of_split) - 1) // max(columns - 1, 1))
        chosen.append(of_split[::step][:columns])
    count = max(len(row) for row in chosen)
    tallest = max(s.mask.shape[0] / s.mask.shape[1] for row in chosen for s in row)
    across = [s for row in chosen for s in row]
    shares = [s.mask.shape[1] / s.mask.shape[0] for s in across]
    height = 3.6
    width = min(14.0, sum(shares) * height + 0.5) if tallest > 1 else 2.6 * len(across)
    figure = Figure(figsize=(max(width, 6), height + 0.5), layout="constrained")
    axes = figure.subplots(1, len(across), width_ratios=shares, squeeze=False)[0]
    del count
    for ax, sample in zip(axes, across, strict=True):
        show_image(ax, sample.image, form)
        outline(ax, sample.mask, ORANGE if form.labels == "instances" else None, form)
        ignored = np.ma.masked_where(sample.mask >= 0, np.ones(sample.mask.shape))
        ax.imshow(ignored, cmap="Blues", vmin=0, vmax=1.5, alpha=0.35)
        ax.set_title(f"{sample.split}\n{sample.name}", fontsize=8)
    scale_bar(axes[0], across[0].mask.shape, form)
    save(figure, path)
