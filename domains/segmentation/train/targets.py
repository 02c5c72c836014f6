"""What the network is asked to say about each pixel, and how much that pixel weighs."""

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from ..prepare.arrays import IGNORED, Format

BORDER = 2  # 0 is the background, 1 what is inside


def class_map(mask: np.ndarray, form: Format, border_px: float) -> np.ndarray:
    """(H, W) uint8 class of each pixel; where the mask is ignored the class is 0, its weight too.

    Instances become background, interior, and inner border: the pixels of an object nearer than
    `border_px` to any pixel that is not that object. An image's edge is no border.
    """
    if form.labels != "instances":
        return np.maximum(mask, 0).astype(np.uint8)
    classes = (mask > 0).astype(np.uint8)
    for window, inside in _objects(mask, int(np.ceil(border_px)) + 1):
        near = ndimage.distance_transform_edt(inside) <= border_px
        if not inside.all():
            classes[window][inside & near] = BORDER
    return classes


def border_weights(mask: np.ndarray, w0: float, sigma: float) -> np.ndarray:
    """(H, W) float32: w0 · exp(−(d1 + d2)² / 2σ²), Ronneberger et al. 2015, equation 2.

    d1 and d2 are the distances in px to the nearest and the second nearest object, 0 inside one.
    Distances above 5σ, where the weight is below w0 · 4e-6, are taken as infinite.
    """
    reach = int(np.ceil(5 * sigma))
    nearest = np.full(mask.shape, np.inf, dtype=np.float32)
    second = nearest.copy()
    for window, inside in _objects(mask, reach):
        distance = ndimage.distance_transform_edt(~inside).astype(np.float32)
        distance[distance > reach] = np.inf
        first, other = nearest[window], second[window]
        second[window] = np.minimum(other, np.maximum(first, distance))
        nearest[window] = np.minimum(first, distance)
    return (w0 * np.exp(-((nearest + second) ** 2) / (2 * sigma**2))).astype(np.float32)


def weight_map(
    mask: np.ndarray, form: Format, balance: np.ndarray, w0: float, sigma: float, border_px: float
) -> np.ndarray:
    """(H, W) float32 weight of each pixel in the loss: class balance plus border weight.

    balance: (K,) weight of each class. Ignored pixels weigh nothing.
    """
    weights = balance[class_map(mask, form, border_px)].astype(np.float32)
    if form.labels == "instances" and w0 > 0:
        weights += border_weights(mask, w0, sigma)
    return np.where(mask == IGNORED, np.float32(0), weights)


def class_balance(counts: np.ndarray, power: float) -> np.ndarray:
    """(K,) weights ∝ frequency^−power whose mean over the pixels is 1; power 0 is no balance.

    A class that never occurs gets weight 0.
    """
    frequency = counts / max(counts.sum(), 1)
    weights = np.where(counts > 0, np.maximum(frequency, 1e-12) ** -power, 0.0)
    return weights / max((weights * frequency).sum(), 1e-12)


def _objects(mask: np.ndarray, margin: int) -> Iterator[tuple[tuple[slice, ...], np.ndarray]]:
    """Yield (window, inside) of each instance: its box with a margin, and its pixels there."""
    for label, box in enumerate(ndimage.find_objects(np.maximum(mask, 0)), start=1):
        if box is None:
            continue
        window = tuple(
            slice(max(0, s.start - margin), min(size, s.stop + margin))
            for s, size in zip(box, mask.shape, strict=True)
        )
        yield window, mask[window] == label
