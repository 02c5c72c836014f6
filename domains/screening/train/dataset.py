"""Molecules handed out a batch at a time, as the states of their atoms and bonds."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from .network import Molecules, as_tensors
from .states import States

Key = tuple[int, int]


class Batch(NamedTuple):
    """B molecules and the truth (B, T), NaN if unknown."""

    molecules: Molecules
    truth: Tensor


class MoleculeBatches(Dataset[Batch]):
    """Batches of molecules.

    states: of n molecules; joined: (n, J), NaN if unknown; truth: (n, T) float32, classes
    0 or 1 and values in their unit, NaN if unknown.
    """

    def __init__(
        self, states: States, joined: NDArray[np.generic], truth: NDArray[np.float32]
    ) -> None:
        self.states, self.joined, self.truth = states, joined, truth

    def __len__(self) -> int:
        return len(self.states)

    def __getitem__(self, key: Key) -> Batch:
        return self.__getitems__([key])

    def __getitems__(self, keys: Sequence[Key]) -> Batch:
        rows = np.array([index for _, index in keys])
        molecules = as_tensors(self.states.take(rows), self.joined[rows])
        return Batch(molecules, torch.from_numpy(self.truth[rows]))


def as_it_is(batch: Batch) -> Batch:
    """Joins nothing: a batch is made whole."""
    return batch
