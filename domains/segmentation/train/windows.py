"""What the network is shown: random augmented windows to learn from, a fixed grid to check on."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from pipelines.core.randomness import generator

from ..prepare.arrays import Format, Sample
from ..prepare.intensity import normalise
from .augment import augment, chain
from .params import TrainParams
from .targets import class_balance, class_map, weight_map

Item = tuple[Tensor, Tensor, Tensor]


class Prepared:
    """Normalised images, class maps and weight maps of some samples, computed once.

    images: list of (H, W, C) float32; classes: (H, W) uint8; weights: (H, W) float32.
    """

    def __init__(
        self, samples: Sequence[Sample], form: Format, params: TrainParams, balance: np.ndarray
    ) -> None:
        self.images = [normalise(s.image, form) for s in samples]
        self.classes = [class_map(s.mask, form, params.border_px) for s in samples]
        self.weights = [
            weight_map(s.mask, form, balance, params.w0, params.sigma_px, params.border_px)
            for s in samples
        ]


def balance_of(samples: Sequence[Sample], form: Format, params: TrainParams) -> np.ndarray:
    """(K,) class weights from the frequencies among the annotated training pixels."""
    counts = np.zeros(form.outputs)
    for sample in samples:
        classes = class_map(sample.mask, form, params.border_px)[sample.mask >= 0]
        counts += np.bincount(classes, minlength=form.outputs)
    return class_balance(counts, params.class_balance)


class RandomWindows(Dataset[Item]):
    """Random windows; window (epoch, index) is a function of these two and the seed alone."""

    def __init__(self, prepared: Prepared, params: TrainParams) -> None:
        self.prepared = prepared
        self.params = params
        areas = np.array([c.size for c in prepared.classes], dtype=float)
        self.probability = areas / areas.sum()
        self.chain = chain(
            size=params.window_px,
            rotate_deg=params.rotate_deg,
            scale=params.scale,
            shear_deg=params.shear_deg,
            on_objects=params.on_objects,
            elastic_px=params.elastic_px,
            intensity=params.intensity,
            noise=params.noise,
        )

    def __len__(self) -> int:
        return self.params.windows

    def __getitem__(self, key: tuple[int, int]) -> Item:
        rng = generator(self.params.seed, *key)
        which = rng.choice(len(self.probability), p=self.probability)
        data = self.prepared
        return _tensors(
            *augment(self.chain, rng, data.images[which], data.classes[which], data.weights[which])
        )


class GridWindows(Dataset[Item]):
    """Windows over every sample, without any change; for validation.

    size: edge of a window, px; margin: what the network loses on each side, so that the middles
    lie side by side. Beyond a sample's edge is its mirror image, of weight 0.
    """

    def __init__(self, prepared: Prepared, size: int, margin: int) -> None:
        self.prepared = prepared
        self.size = size
        self.margin = margin
        step = size - 2 * margin
        self.corners = [
            (which, y - margin, x - margin)
            for which, classes in enumerate(prepared.classes)
            for y in range(0, classes.shape[0], step)
            for x in range(0, classes.shape[1], step)
        ]

    def __len__(self) -> int:
        return len(self.corners)

    def __getitem__(self, key: tuple[int, int]) -> Item:
        which, *corner = self.corners[key[1]]
        data = self.prepared
        shape = data.classes[which].shape
        places = [np.arange(start, start + self.size) for start in corner]
        inside = np.outer(*((p >= 0) & (p < n) for p, n in zip(places, shape, strict=True)))
        window = np.ix_(*(mirrored(p, n) for p, n in zip(places, shape, strict=True)))
        image, classes, weight = (
            a[which][window] for a in (data.images, data.classes, data.weights)
        )
        return _tensors(image, classes, weight * inside)


def mirrored(index: np.ndarray, size: int) -> np.ndarray:
    """Places 0 … size − 1 for any index, … 2 1 0 1 2 …: the edge's pixels are not repeated."""
    index = index % max(2 * size - 2, 1)
    return np.minimum(index, 2 * size - 2 - index)


def _tensors(image: np.ndarray, classes: np.ndarray, weight: np.ndarray) -> Item:
    return (
        torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32)),
        torch.from_numpy(classes.astype(np.int64)),
        torch.from_numpy(np.ascontiguousarray(weight, dtype=np.float32)),
    )
