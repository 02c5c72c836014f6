"""Do the maps name the pixels that matter? Take them away, or show them alone, and read again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipelines.core.figures import bare, save
from pipelines.core.randomness import generator

from ..predict.attention import gradient_attention
from ..train.ensemble import EyeEnsemble
from ..train.reading import answers
from .drawing import BLUE, CONTROL, GREY, VERMILION, WIDTH, Entry, capital, named
from .subject import Subject

SHARES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)  # of the field of view
SMOOTH_PX = 1.0  # deviation of the blur of the maps that order the pixels
_MOST = 16  # photographs
_STYLES = {"attention": (BLUE, "o-"), "at random": (GREY, "s--"), CONTROL: (VERMILION, "^:")}
_NAMES = {
    "attention": "pixels by the network's attention",
    "at random": "pixels in random order",
    CONTROL: f"by the attention of {CONTROL}",
}

Curves = dict[str, np.ndarray]  # order to (shares,)


def draw_deletion(out: Path, subject: Subject, count: int) -> Entry:
    """Write deletion.png: how far readings go astray as pixels are taken away or given back."""
    images = np.asarray(subject.eyes.images[subject.tested(min(count, _MOST))])
    chosen = subject.main_targets()
    figure = Figure(figsize=(WIDTH * len(chosen) / 2, 3.5), layout="constrained")
    grid = figure.subplots(1, 2 * len(chosen), sharey=True)
    findings: dict[str, float | int | str] = {}
    for k, target in enumerate(chosen):
        name = named(subject.targets[target])
        orders = _orders(subject, images, target)
        for axes, way in zip(grid[2 * k : 2 * k + 2], ("deletion", "insertion"), strict=True):
            found = changes(subject.network, images, orders, target, insert=way == "insertion")
            _draw(axes, found)
            what = "taken away" if way == "deletion" else "given back"
            axes.set_title(f"{capital(name)}\n{way}", fontsize=9)
            axes.set_xlabel(f"pixels {what} (%)")
            findings |= {
                f"{way} for {name}, area under the curve, {order}": area(values)
                for order, values in found.items()
            }
    grid[0].set_ylabel("change of the reading,\n1: as if nothing were seen")
    handles, labels = grid[0].get_legend_handles_labels()
    place = {"loc": "outside lower center", "ncols": 3, "frameon": False, "fontsize": 9}
    figure.legend(handles, labels, **place)
    save(figure, out / "deletion.png")
    title = "Do these pixels matter?"
    caption = _caption(len(images)) + _verdicts(
        findings, [named(subject.targets[k]) for k in chosen]
    )
    return {"file": "deletion.png", "title": title, "caption": caption}, findings


def _verdicts(findings: dict[str, float | int | str], names: list[str]) -> str:
    """For which target the maps do better than the control's, in both ways."""
    better = []
    for name in names:
        areas = {
            (way, order): float(findings[f"{way} for {name}, area under the curve, {order}"])
            for way in ("deletion", "insertion")
            for order in ("attention", CONTROL)
        }
        deleted = areas["deletion", "attention"] > areas["deletion", CONTROL]
        inserted = areas["insertion", "attention"] < areas["insertion", CONTROL]
        ways = {(True, True): "in both ways", (True, False): "in deletion alone"}
        ways |= {(False, True): "in insertion alone", (False, False): "in neither"}
        better.append(f"{name}, {ways[deleted, inserted]}")
    return f" Better than the control by the area under the curve: {'; '.join(better)}."


def _draw(axes: Axes, found: Curves) -> None:
    for order, values in found.items():
        colour, style = _STYLES[order]
        shares = 100 * np.array(SHARES)
        axes.plot(shares, values, style, color=colour, markersize=4, label=_NAMES[order])
    bare(axes)


def changes(
    network: EyeEnsemble,
    images: np.ndarray,
    orders: dict[str, np.ndarray],
    target: int,
    insert: bool = False,
) -> Curves:
    """Root mean square change of the reading from that of the whole photograph, by SHARES.

    In units of the change when nothing but the local mean is left. orders: (n, H·W) pixels of
    each photograph, those of the field of view first and the most important of them in front.
    """
    empty = np.stack([blank(image) for image in images])
    inside = (images.max(axis=-1) > 0).sum(axis=(1, 2))
    read: Callable[[np.ndarray], np.ndarray] = lambda x: answers(network, x)[0][:, target]  # noqa: E731
    whole = read(images)
    scale = float(np.sqrt(((read(empty) - whole) ** 2).mean())) or 1.0
    found = {}
    for name, order in orders.items():
        values = [1.0] if insert else [0.0]
        for share in SHARES[1:-1]:
            changed = (empty if insert else images).copy()
            other = images if insert else empty
            for k, pixels in enumerate(order):
                chosen = pixels[: round(share * inside[k])]
                changed[k].reshape(-1, 3)[chosen] = other[k].reshape(-1, 3)[chosen]
            values.append(float(np.sqrt(((read(changed) - whole) ** 2).mean())) / scale)
        found[name] = np.array([*values, 0.0 if insert else 1.0])
    return found


def area(values: np.ndarray) -> float:
    """Area under a curve over SHARES."""
    return float(np.trapezoid(values, SHARES))


def blank(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: the photograph's local mean, in which nothing is left to be read."""
    sd = image.shape[0] / 16
    field = (image.max(axis=-1) > 0).astype(np.float32)
    sums = cv2.GaussianBlur(image.astype(np.float32) * field[..., None], (0, 0), sd)
    counts = cv2.GaussianBlur(field, (0, 0), sd)
    mean = sums / np.maximum(counts, 1e-3)[..., None]
    return (np.clip(np.rint(mean), 1, 255) * field[..., None]).astype(np.uint8)


def _orders(subject: Subject, images: np.ndarray, target: int) -> dict[str, np.ndarray]:
    """Pixels by attention, at random, and by the control's attention.

    Attention is here gradient × input: to first order that is what taking a pixel away changes.
    """
    chance = [generator(k, target).random(images.shape[1:3]) for k in range(len(images))]
    maps = {
        "attention": gradient_attention(subject.network, images, target, SMOOTH_PX),
        "at random": np.stack(chance),
        CONTROL: gradient_attention(subject.control, images, target, SMOOTH_PX),
    }
    outside = images.max(axis=-1) == 0
    ranked = {k: np.where(outside, -1.0, m).reshape(len(images), -1) for k, m in maps.items()}
    return {name: np.argsort(-weight, axis=1, kind="stable") for name, weight in ranked.items()}


def _caption(count: int) -> str:
    return (
        f"{count} test photographs. Deletion: pixels are replaced by the mean around them, those "
        "with most attention (gradient × input) first; insertion: they are given back to a "
        "photograph of which only that mean was left. The curves say how far the reading moves "
        "from that of the whole photograph, in units of the move when all is gone. Maps that name "
        "what matters rise fast under deletion and fall fast under insertion. Controls: pixels in "
        "random order, and by the attention of the same network with randomised (shuffled) "
        "weights. So few photographs show only large differences; there are no intervals."
    )
