"""Which pixels decide: the picture with its objects, or its background, blanked."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import ndimage

from pipelines.core.figures import bare, save

from ..evaluate.counts import tally
from ..evaluate.scores import overall
from ..predict.instances import Rule
from ..predict.network import Segmentation
from ..predict.tune import decide
from ..prepare.arrays import Format, Sample
from ..prepare.intensity import normalise
from ..prepare.preview import BLUE, ORANGE, outline
from .examples import EDGE_PX, fullest

CONDITIONS = ("unchanged", "background blanked", "objects blanked")
HALO_PX = 3


def randomised(model: Segmentation, seed: int) -> Segmentation:
    """The same network with every weight tensor shuffled: the control that must fail.

    Shuffling keeps each layer's distribution of weights and destroys what they say together.
    """
    network = copy.deepcopy(model.network)
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for weights in network.parameters():
            order = torch.from_numpy(rng.permutation(weights.numel())).to(weights.device)
            weights.copy_(weights.flatten()[order].reshape(weights.shape))
    return replace(model, network=network)


def blanked(image: np.ndarray, mask: np.ndarray, condition: str) -> np.ndarray:
    """A normalised image (H, W, C) with its objects, or all else, at the background's mean.

    Objects are taken with 3 px around them, where their light still reaches; ignored pixels
    count as background.
    """
    if condition == "unchanged":
        return image
    objects = _objects(mask)
    target = objects if condition == "objects blanked" else ~objects
    result = image.copy()
    result[target] = image[~objects].mean(axis=0) if (~objects).any() else 0.0
    return result


def draw_whitening(
    out: Path, samples: Sequence[Sample], model: Segmentation, control: Segmentation, rule: Rule
) -> tuple[dict[str, str], dict[str, Any]]:
    """Write whitening.png; return its entry and the Dice of model and control by condition."""
    form = model.form
    dice: dict[str, dict[str, float]] = {"model": {}, "randomised weights": {}}
    pictures = []
    for condition in CONDITIONS:
        images = [blanked(normalise(s.image, form), s.mask, condition) for s in samples]
        for name, network in zip(dice, (model, control), strict=True):
            labels = [decide(network.of_normalised(image), form, rule) for image in images]
            dice[name][condition] = overall(tally(samples, labels, form), form, "dice")
            if name == "model":
                pictures.append((images[0], labels[0]))
    _draw(out / "whitening.png", pictures, fullest(samples[0].mask, EDGE_PX), dice, form)
    share = _share(samples)
    caption = (
        "A part of a test image as it is, with its background replaced by the background's mean, "
        "and with its objects replaced by it, with what the network outlines (blue; classes in "
        f"their colours). Bars: Dice over {len(samples)} test image(s) against the true mask. A "
        "network that reads the objects keeps its Dice without the background and loses it "
        "without the objects. Control: the same network with its weights shuffled. Objects, and "
        f"{HALO_PX} px around them, are {share:.0%} of the pixels: the nearer to all, the less is "
        "left to replace as background."
    )
    entry = {"file": "whitening.png", "title": "What the network looks at", "caption": caption}
    findings = {
        f"dice, {condition}{'' if name == 'model' else ', ' + name}": value
        for name, values in dice.items()
        for condition, value in values.items()
    }
    return entry, findings


def _objects(mask: np.ndarray) -> np.ndarray:
    return np.asarray(ndimage.binary_dilation(mask > 0, iterations=HALO_PX))


def _share(samples: Sequence[Sample]) -> float:
    """Of the pixels, those that count as objects."""
    objects = [_objects(sample.mask) for sample in samples]
    return float(sum(o.sum() for o in objects) / sum(o.size for o in objects))


def _draw(
    path: Path,
    pictures: Sequence[tuple[np.ndarray, np.ndarray]],
    window: tuple[slice, slice],
    dice: dict[str, dict[str, float]],
    form: Format,
) -> None:
    figure = Figure(figsize=(13, 3.6), layout="constrained")
    *views, bars = figure.subplots(1, 4, width_ratios=[1, 1, 1, 1.3])
    for axes, condition, (image, labels) in zip(views, CONDITIONS, pictures, strict=True):
        axes.imshow(image if form.channels == 3 else image[..., 0], cmap="gray", vmin=0, vmax=1)
        outline(axes, labels, BLUE if form.labels == "instances" else None, form)
        axes.set_title(condition, fontsize=9)
        axes.set_xlim(window[1].start, window[1].stop)
        axes.set_ylim(window[0].stop, window[0].start)
        axes.set_axis_off()
    _bars(bars, dice)
    save(figure, path)


def _bars(axes: Axes, dice: dict[str, dict[str, float]]) -> None:
    places = np.arange(len(CONDITIONS))
    colours = (BLUE, ORANGE)
    for k, ((name, values), colour) in enumerate(zip(dice.items(), colours, strict=True)):
        heights = [values[c] for c in CONDITIONS]
        bars = axes.bar(places + (k - 0.5) * 0.4, heights, 0.4, label=name, color=colour)
        axes.bar_label(bars, fmt="%.2f", fontsize=8)
    axes.set_xticks(places, [c.replace(" ", "\n") for c in CONDITIONS])
    axes.set_ylim(0, 1.2)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_ylabel("Dice against the true mask")
    axes.legend(frameon=False, loc="upper right", fontsize=8)
    bare(axes)
