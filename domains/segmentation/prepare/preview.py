"""One picture of the data: some samples of each split with their masks' outlines."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy import ndimage

from pipelines.core.figures import save

from .arrays import SPLITS, Format, Sample
from .intensity import normalise

matplotlib.use("Agg")

# Okabe & Ito's palette, readable with any colour vision.
ORANGE, BLUE, GREEN, VERMILION = "#E69F00", "#56B4E9", "#009E73", "#D55E00"
PURPLE, YELLOW = "#CC79A7", "#F0E442"
CLASS_COLOURS = (ORANGE, BLUE, GREEN, YELLOW, VERMILION, PURPLE)


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
    for label, box in enumerate(ndimage.find_objects(np.maximum(mask, 0)), start=1):
        if box is None:
            continue
        part = np.pad(mask[box] == label, 1)
        rows, columns = (np.arange(n) + s.start - 1 for n, s in zip(part.shape, box, strict=True))
        shade = colour or CLASS_COLOURS[(label - 1) % len(CLASS_COLOURS)]
        axes.contour(columns, rows, part, [0.5], colors=shade, **options)


def compare(axes: Axes, truth: np.ndarray, said: np.ndarray, form: Format) -> None:
    """Outlines of both masks: the true ones thick and orange, the predicted thin and blue; of
    classes the true ones thick, the predicted thin and dark-edged, in the colours of classes."""
    classes = form.labels == "classes"
    outline(axes, truth, None if classes else ORANGE, form, linewidths=2.4)
    if classes:  # a line that shows on one of its own colour
        outline(axes, said, "black", form, linewidths=1.5)
    outline(axes, said, None if classes else BLUE, form, linewidths=0.9)


def legend(figure: Figure, form: Format) -> None:
    """What the lines of `compare` are, below the figure."""
    if form.labels == "classes":
        handles = [
            Line2D([], [], color=CLASS_COLOURS[k % len(CLASS_COLOURS)], label=f"class {k + 1}")
            for k in range(form.classes - 1)
        ]
        lines = ((2.4, "true outline (mask), thick"), (0.9, "predicted outline, thin"))
        handles += [Line2D([], [], color="0.4", linewidth=w, label=text) for w, text in lines]
    else:
        handles = [
            Line2D([], [], color=ORANGE, linewidth=2.4, label="true outline (mask)"),
            Line2D([], [], color=BLUE, linewidth=0.9, label="predicted outline"),
        ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)


def scale_bar(axes: Axes, window: tuple[slice, slice], form: Format) -> None:
    """A white bar of a round length in the window's lower left, if the pixel size is known."""
    if form.pixel_size_um is None:
        return
    height, width = (w.stop - w.start for w in window)
    lengths = (k * 10**n for n in range(-3, 7) for k in (1, 2, 5))
    length = max((n for n in lengths if n <= width * form.pixel_size_um / 4), default=None)
    if length is None:
        return
    pixels = length / form.pixel_size_um
    x, y = window[1].start + 0.05 * width, window[0].stop - 0.05 * height
    axes.plot([x, x + pixels], [y, y], color="white", linewidth=2.5, solid_capstyle="butt")
    place = (x + pixels / 2, y - 0.02 * height)
    name = f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"
    axes.text(*place, name, color="white", ha="center", va="bottom", fontsize=8)


def draw_preview(path: Path, samples: Sequence[Sample], form: Format, count: int = 2) -> None:
    """Some samples of each split, in a row if they are tall, else a split a row; outlines of the
    masks, the ignored part shaded."""
    rows = []
    for split in SPLITS:
        of_split = [s for s in samples if s.split == split]
        chosen = np.linspace(0, len(of_split) - 1, count).round().astype(int)
        rows.append([of_split[k] for k in np.unique(chosen)])
    shapes = np.array([s.mask.shape for row in rows for s in row])
    if np.median(shapes[:, 0] / shapes[:, 1]) > 1:
        rows = [[s for row in rows for s in row]]
    columns = max(len(row) for row in rows)
    widths = [1.0] * columns
    if len(rows) == 1:
        widths = [s.mask.shape[1] / s.mask.shape[0] for s in rows[0]]
    heights = [max(s.mask.shape[0] / s.mask.shape[1] for s in row) for row in rows]
    wide, tall = (sum(widths), 1.0) if len(rows) == 1 else (columns, sum(heights))
    scale = min(12.0 / wide, 9.0 / tall)
    size = (wide * scale, tall * scale + 0.6 * len(rows))
    figure = Figure(figsize=size, layout="constrained")
    ratios = {"height_ratios": heights, "width_ratios": widths}
    grid = figure.subplots(len(rows), columns, squeeze=False, **ratios)
    for axes in grid.ravel():
        axes.set_axis_off()
    for line, row in zip(grid, rows, strict=True):
        for axes, sample in zip(line, row, strict=False):
            _draw(axes, sample, form)
    height_px, width_px = rows[0][0].mask.shape
    scale_bar(grid[0, 0], (slice(0, height_px), slice(0, width_px)), form)
    save(figure, path)


def _draw(axes: Axes, sample: Sample, form: Format) -> None:
    axes.set_axis_on()
    show_image(axes, sample.image, form)
    outline(axes, sample.mask, ORANGE if form.labels == "instances" else None, form)
    ignored = np.ma.masked_where(sample.mask >= 0, np.ones(sample.mask.shape))
    axes.imshow(ignored, cmap="Blues", vmin=0, vmax=1.5, alpha=0.35)
    axes.set_title(f"{sample.split}\n{sample.name}", fontsize=9)
