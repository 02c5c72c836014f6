"""Eyes in memory, handed out a batch at a time: pixels stay bytes until the network has them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.utils.data import Dataset

from pipelines.core.randomness import generator

from .augment import augment, chain
from .params import TrainParams

Batch = tuple[Tensor, Tensor, Tensor]
Key = tuple[int, int]


class EyeBatches(Dataset[Batch]):
    """Batches (images (B, H, W, 3) uint8, truth (B, T), anatomy (B, A)).

    images: (n, H, W, 3) uint8; truth: (n, T) float32, standardised, NaN if unknown; anatomy: the
    same (n, A). params: how to augment; None: not at all. Eye `index` in `epoch` is a function of
    these two and the seed. Asked for a batch at a time, no item is made a tensor of its own.
    """

    def __init__(
        self,
        images: np.ndarray,
        truth: np.ndarray,
        anatomy: np.ndarray,
        params: TrainParams | None = None,
    ) -> None:
        self.images = np.ascontiguousarray(images)
        self.truth, self.anatomy = torch.from_numpy(truth), torch.from_numpy(anatomy)
        self.chain = chain(params) if params else None
        self.seed = params.seed if params else 0

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, key: Key) -> Batch:
        images, truth, anatomy = self.__getitems__([key])
        return images[0], truth[0], anatomy[0]

    def __getitems__(self, keys: Sequence[Key]) -> Batch:
        rows = [index for _, index in keys]
        return torch.from_numpy(self._pictures(keys)), self.truth[rows], self.anatomy[rows]

    def _pictures(self, keys: Sequence[Key]) -> np.ndarray:
        if self.chain is None:
            return self.images[[index for _, index in keys]]
        pictures = np.empty((len(keys), *self.images.shape[1:]), dtype=np.uint8)
        for picture, (epoch, index) in zip(pictures, keys, strict=True):
            rng = generator(self.seed, epoch, index)
            picture[:] = augment(self.chain, rng, self.images[index])
        return pictures


def as_it_is(batch: Batch) -> Batch:
    """Joins nothing: a batch is made whole."""
    return batch


def standardised(table: pd.DataFrame, mean: Sequence[float], sd: Sequence[float]) -> np.ndarray:
    """(n, K) float32 of the table's columns; NaN stays NaN."""
    return ((table.to_numpy(dtype=float) - np.array(mean)) / np.array(sd)).astype(np.float32)
