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


def outline(
    axes: Axes, mask: np.ndarray, colour: str | None, form: Format, **style: object
) -> None:
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


def scale_bar(axes: Axes, window: tuple[slice, slice], form: Format) -> None:
    """A white bar of a round length in the window's lower left, if the pixel size is known."""
    if form.pixel_size_um is None:
        return
    height, width = (w.stop - w.start for w in window)
    lengths = (k * 10**n for n in range(5) for k in (1, 2, 5))
    length = max(n for n in lengths if n <= max(width * form.pixel_size_um / 4, 1))
    pixels = length / form.pixel_size_um
    x, y = window[1].start + 0.05 * width, window[0].stop - 0.05 * height
    axes.plot([x, x + pixels], [y, y], color="white", linewidth=2.5, solid_capstyle="butt")
    place = (x + pixels / 2, y - 0.02 * height)
    axes.text(*place, f"{length} µm", color="white", ha="center", va="bottom", fontsize=8)


def draw_preview(path: Path, samples: Sequence[Sample], form: Format, columns: int = 2) -> None:
    """Some samples of each split, side by side; outlines of masks, the ignored part shaded."""
    shown = []
    for split in SPLITS:
        of_split = [s for s in samples if s.split == split]
        chosen = np.unique(np.linspace(0, len(of_split) - 1, columns).round().astype(int))
        shown += [of_split[k] for k in chosen]
    shares = [s.mask.shape[1] / s.mask.shape[0] for s in shown]
    height = min(6.0, 13.0 / sum(shares))
    figure = Figure(figsize=(sum(shares) * height + 0.5, height + 0.5), layout="constrained")
    row = figure.subplots(1, len(shown), width_ratios=shares, squeeze=False)[0]
    for axes, sample in zip(row, shown, strict=True):
        show_image(axes, sample.image, form)
        outline(axes, sample.mask, ORANGE if form.labels == "instances" else None, form)
        ignored = np.ma.masked_where(sample.mask >= 0, np.ones(sample.mask.shape))
        axes.imshow(ignored, cmap="Blues", vmin=0, vmax=1.5, alpha=0.35)
        axes.set_title(f"{sample.split}\n{sample.name}", fontsize=9)
    height_px, width_px = shown[0].mask.shape
    scale_bar(row[0], (slice(0, height_px), slice(0, width_px)), form)
    save(figure, path)
