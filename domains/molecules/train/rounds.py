"""What the adversarial game is played with: real molecules, for the critic and for likelihood."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from pipelines.core.randomness import generator
from pipelines.training.fit import Key
from pipelines.training.sharing import share

from .batches import Batch, LengthBatches
from .chemistry import look_at, parse

HEAD_START = 4  # the critic's steps in its first epoch, alone, are so many times the later ones
_LOOK, _PLAY = 0, 1  # keys of random draws


class Round(NamedTuple):
    """likelihood: a batch of real molecules; real: for each step of the critic (tokens (batch,
    length) int64, what a chemist sees (batch, SEEN) float32).
    """

    likelihood: Batch
    real: list[tuple[Tensor, Tensor]]


class Rounds(Dataset[Round]):
    """Item (epoch, index) is what a round needs, a pure function of (seed, epoch, index).

    Of several processes each is given its share.

    Args:
        batches: of likelihood.
        steps: rounds of an epoch.
        known: real molecules that the critic gets to know, chosen by chance.
        critic: its steps in a round, and the real molecules of each.
        size: columns of its tokens.
        seed: of all that is drawn.
    """

    def __init__(
        self,
        batches: LengthBatches,
        steps: int,
        known: int,
        critic: tuple[int, int],
        size: int,
        seed: int,
    ) -> None:
        self.batches, self.steps, self.critic, self.seed = batches, steps, critic, seed
        corpus = batches.corpus
        chosen = generator(seed, _LOOK).permutation(len(corpus))[:known]
        tokens = corpus.padded(chosen)
        smiles = corpus.smiles()
        self.tokens = np.pad(tokens, ((0, 0), (0, size - tokens.shape[1])))
        self.seen = look_at(parse([smiles[k] for k in chosen.tolist()]))

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, key: Key) -> Round:
        epoch, index = key
        draws = generator(self.seed, _PLAY, epoch, index)
        steps, size = self.critic
        if epoch == 0:
            steps *= HEAD_START
        real = [self._real(draws.integers(len(self.tokens), size=size)) for _ in range(steps)]
        batch = int(draws.integers(len(self.batches)))
        return Round(self.batches[epoch, batch], real)

    def _real(self, chosen: np.ndarray) -> tuple[Tensor, Tensor]:
        chosen = share(chosen)
        tokens = torch.from_numpy(self.tokens[chosen].astype(np.int64))
        return tokens, torch.from_numpy(self.seen[chosen])
