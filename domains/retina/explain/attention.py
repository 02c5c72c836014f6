"""Where the network looks: on vessels and disc, more than their area would make it?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipelines.core.artifacts import read_csv
from pipelines.core.figures import bare, save
from pipelines.statistics.bootstrap import Interval
from pipelines.statistics.wording import spelt

from ..prepare.arrays import Eyes, read_truth
from .drawing import (
    BLUE,
    CONTROL,
    SKY,
    VERMILION,
    WIDTH,
    Entry,
    capital,
    named,
    show_photograph,
)
from .maps import REGIONS, enrichment, gradient_maps, learnt_maps, regions
from .subject import Subject

LEARNT = "learnt attention"
VESSELS = "vessels"  # all of them, large and small
_BARS = (VESSELS, *REGIONS)
_SHOWN = 3  # eyes in the picture
_SMOOTH = 1 / 90  # of the edge: deviation of the blur of maps in the picture
_KINDS = {"gradient": BLUE, LEARNT: SKY, CONTROL: VERMILION}

Found = dict[tuple[str, str, str], Interval]  # target, region, kind of map


def draw_attention(out: Path, subject: Subject, count: int) -> Entry:
    """Write attention.png: maps over photographs and, where it is known what is where, shares."""
    eyes, truth = _eyes(subject, count)
    first = subject.main_targets()
    maps = {
        "gradient": [gradient_maps(subject.network, eyes.images, k) for k in first],
        LEARNT: [learnt_maps(subject.network, eyes.images, k) for k in first],
        CONTROL: [gradient_maps(subject.control, eyes.images, k) for k in first],
    }
    names = [named(subject.targets[k]) for k in first]
    found = _shares(eyes, truth, maps, names) if truth else {}
    _draw(out / "attention.png", eyes, truth, maps, names, found)
    entry = {
        "file": "attention.png",
        "title": "Where the network looks",
        "caption": _caption(len(eyes), names, found),
    }
    findings: dict[str, float | int | str] = {
        f"attention on {region} for {name}, times their share of the area"
        f"{'' if kind == 'gradient' else ', ' + kind}": spelt(value)
        for (name, region, kind), value in found.items()
        if region in (VESSELS, "large vessels", "disc") and np.isfinite(value.value)
    }
    if not findings:
        findings["photographs whose attention was mapped"] = len(eyes)
    return entry, findings


def _eyes(subject: Subject, count: int) -> tuple[Eyes, dict[str, np.ndarray] | None]:
    """Test eyes, those with known vessels if there are any, and the masks of these."""
    truth = read_truth(subject.prepare)
    if truth is None:
        return _chosen(subject.eyes, subject.tested(count)), None
    # truth.npz counts all rows of images.npy, subject.eyes those of validation and test.
    split = read_csv(subject.prepare / "eyes.csv", text=("patient", "eye", "image"))["split"]
    place = pd.Series(np.cumsum(split.isin(("validation", "test"))) - 1)[truth["rows"]].to_numpy()
    tested = (split[truth["rows"]] == "test").to_numpy()
    usable = tested & subject.eyes.table["usable"].to_numpy()[np.maximum(place, 0)]
    kept = np.flatnonzero(usable if usable.any() else tested)[:count]
    masks = {name: truth[name][kept] for name in ("vessel", "disc")}
    return _chosen(subject.eyes, place[kept]), masks


def _chosen(eyes: Eyes, rows: np.ndarray) -> Eyes:
    table = eyes.table.iloc[rows].reset_index(drop=True)
    return replace(eyes, images=np.asarray(eyes.images[rows]), table=table)


def _shares(
    eyes: Eyes,
    truth: dict[str, np.ndarray],
    maps: dict[str, list[np.ndarray]],
    names: list[str],
) -> Found:
    field, patient = eyes.images.max(axis=-1) > 0, eyes.table["patient"]
    parts = regions(eyes.images, truth)
    parts[VESSELS] = truth["vessel"] & field
    return {
        (name, region, kind): enrichment(of_kind[k], mask, field, patient, seed=k)
        for k, name in enumerate(names)
        for region, mask in parts.items()
        for kind, of_kind in maps.items()
    }


def _draw(
    path: Path,
    eyes: Eyes,
    truth: dict[str, np.ndarray] | None,
    maps: dict[str, list[np.ndarray]],
    names: list[str],
    found: Found,
) -> None:
    shown = min(_SHOWN, len(eyes))
    columns = (2 if truth else 1) + len(names) * len(maps)
    heights = [WIDTH / columns * shown + 0.5, 2.9 if found else 0.0]
    figure = Figure(figsize=(WIDTH, sum(heights)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, hspace=0, wspace=0)
    parts = figure.subfigures(2, 1, height_ratios=heights) if found else [figure]
    grid = parts[0].subplots(shown, columns, squeeze=False)
    for k, row in enumerate(grid):
        masks = {name: mask[k] for name, mask in truth.items()} if truth else None
        of_eye = [
            maps[kind][t][k] if kind == LEARNT else np.sqrt(maps[kind][t][k])
            for t in range(len(names))
            for kind in maps
        ]
        _draw_eye(row, eyes.images[k], masks, of_eye)
    titles = ["photograph", *(["vessels, disc"] if truth else [])]
    titles += [f"{capital(name)}:\n{kind}" for name in names for kind in maps]
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title, fontsize=8)
    if found:
        below = parts[1].subplots(1, len(names), sharey=True, squeeze=False)[0]
        for axes, name in zip(below, names, strict=True):
            _draw_bars(axes, name, found)
        below[0].set_ylabel("attention ÷ area")
        handles, labels = below[0].get_legend_handles_labels()
        parts[1].legend(
            handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9
        )
    save(figure, path)


def _draw_eye(
    row: np.ndarray, image: np.ndarray, truth: dict[str, np.ndarray] | None, maps: list[np.ndarray]
) -> None:
    """One line of the picture."""
    show_photograph(row[0], image)
    rest = list(row[1:])
    if truth:
        picture = np.full((*truth["vessel"].shape, 3), 255, dtype=np.uint8)
        picture[image.max(axis=-1) > 0] = (235, 235, 235)
        picture[truth["disc"]] = (230, 159, 0)
        picture[truth["vessel"]] = (0, 60, 110)
        show_photograph(rest.pop(0), picture)
    outside = image.max(axis=-1) == 0
    for axes, attention in zip(rest, maps, strict=True):
        smooth = cv2.GaussianBlur(attention, (0, 0), max(_SMOOTH * len(attention), 0.3))
        top = np.quantile(smooth[~outside], 0.995) if (~outside).any() else 1.0
        shown = np.ma.masked_where(outside, smooth)
        axes.imshow(shown, cmap="inferno", vmin=0, vmax=max(top, 1e-12))
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)


def _draw_bars(axes: Axes, name: str, found: Found) -> None:
    """Attention over area of each region, chance at 1."""
    places = np.arange(len(_BARS))
    for k, (kind, colour) in enumerate(_KINDS.items()):
        of_kind = [found[name, region, kind] for region in _BARS]
        values = np.array([v.value for v in of_kind])
        errors = np.array([[v.value - v.low, v.high - v.value] for v in of_kind]).T
        at = places + (k - 1) * 0.27
        axes.bar(at, values, 0.25, color=colour, label=kind)
        axes.errorbar(
            at, values, np.nan_to_num(errors), fmt="none", ecolor="black", elinewidth=1, capsize=2
        )
        for x, v in zip(at, of_kind, strict=True):
            top = v.high if np.isfinite(v.high) else v.value
            axes.annotate(
                f"{v.value:.1f}",
                (x, top),
                (0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=8,
            )
    axes.axhline(1, color="black", linewidth=0.8, linestyle=":")
    axes.set_xticks(places, [r.replace(" ", "\n") for r in _BARS])
    axes.set_title(f"Read: {name}", fontsize=9)
    axes.margins(y=0.15)
    bare(axes)


def _caption(count: int, names: list[str], found: Found) -> str:
    caption = (
        "Photographs of the test set, and where a change would change the reading most (gradient), "
        "where the network has learnt to gather what it reads (learnt soft attention, on a coarse "
        "grid), and the control: the gradient of the same network with randomised (shuffled) "
        "weights. Bright: much; each map on a scale of its own."
    )
    if found:
        measured = "; ".join(
            f"{kind}, " + ", ".join(f"{n} {spelt(found[n, VESSELS, kind])}" for n in names)
            for kind in _KINDS
        )
        caption += (
            " Bars: the share of the attention (of a gradient: of its square) over the share of "
            f"the area, with 95 % intervals over patients ({count} test eyes); at 1 (dotted) the "
            "network does not care. Vessels are all of them; large vessels, at least 3 pixels of "
            f"128 wide, and small vessels are their parts. Found on the vessels: {measured}."
        )
    return caption
