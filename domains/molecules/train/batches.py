"""Molecules by the batch, of nearly equal lengths, so that little is computed for padding."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from pipelines.core.randomness import generator
from pipelines.training.fit import EpochDataModule, Key, require_even
from pipelines.training.sharing import own, share

from ..prepare.arrays import Corpus
from .graph import Alphabet, features_of

Batch = tuple[Tensor, Tensor]  # tokens (length, batch) int64; features (length, batch, f) int64

_POOL = 20  # batches among which molecules are sorted by length
_AT_ONCE = 8192  # molecules whose features are computed together


class LengthBatches(Dataset[Batch]):
    """Item (epoch, index) is the whole batch of that number, a pure function of (seed, epoch).

    Of several processes each is given its share: of every batch, for validation of the molecules.

    Args:
        corpus: the molecules.
        batch_size: molecules a batch; the last one of an epoch may be smaller.
        seed: of the composition of training batches; None for validation: by length alone.
    """

    def __init__(self, corpus: Corpus, batch_size: int, seed: int | None) -> None:
        self.corpus, self.batch_size, self.seed = corpus, batch_size, seed
        self.features = _flat_features(corpus)
        self._epoch, self._batches = -1, list[NDArray[np.int64]]()

    def __len__(self) -> int:
        size = len(own(len(self.corpus))) if self.seed is None else len(self.corpus)
        return -(-size // self.batch_size)

    def __getitem__(self, key: Key) -> Batch:
        epoch, index = key
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._composed(epoch)
        batch = self._batches[index]
        return self.molecules(batch if self.seed is None else share(batch))

    def molecules(self, chosen: NDArray[np.int64]) -> Batch:
        """The tokens and features of some molecules, each with its end."""
        padded = np.pad(self.corpus.padded(chosen), ((0, 0), (0, 1)))
        offsets, lengths = self.corpus.offsets[chosen], self.corpus.lengths[chosen]
        columns = np.arange(padded.shape[1])
        # Features have one more place a molecule than tokens: what is seen before its end.
        places = (offsets + chosen)[:, None] + np.minimum(columns, lengths[:, None])
        tokens = torch.from_numpy(padded.T.astype(np.int64))
        return tokens, torch.from_numpy(self.features[places.T].astype(np.int64))

    def _composed(self, epoch: int) -> list[NDArray[np.int64]]:
        size, lengths = self.batch_size, self.corpus.lengths
        order, pool = own(len(self.corpus)), len(self.corpus)
        if self.seed is not None:
            order, pool = generator(self.seed, epoch).permutation(len(lengths)), _POOL * size
        pools = [order[start : start + pool] for start in range(0, len(order), pool)]
        pools = [chosen[np.argsort(lengths[chosen], kind="stable")] for chosen in pools]
        return [p[start : start + size] for p in pools for start in range(0, len(p), size)]


def _flat_features(corpus: Corpus) -> NDArray[np.uint16]:
    """(T + n, f) uint16: features before each token and before each end, molecules in a row."""
    alphabet = Alphabet(corpus.vocabulary)
    parts = []
    for start in range(0, len(corpus), _AT_ONCE):
        chosen = np.arange(start, min(start + _AT_ONCE, len(corpus)))
        padded = np.pad(corpus.padded(chosen), ((0, 0), (0, 1)))
        found = features_of(alphabet, torch.from_numpy(padded.astype(np.int64))).numpy()
        kept = np.arange(padded.shape[1]) <= corpus.lengths[chosen][:, None]
        parts.append(found[kept].astype(np.uint16))
    return np.concatenate(parts)


def of_batches(train: LengthBatches, val: LengthBatches, seed: int) -> EpochDataModule:
    """Loaders whose items are whole batches."""
    require_even(train.batch_size)
    return EpochDataModule(train, val, batch_size=None, seed=seed)
