"""A generator is validated by what it writes: how far is that from validation molecules?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from pytorch_lightning import LightningModule
from rdkit import Chem
from torch import Tensor
from torch.utils.data import Dataset

from pipelines.core.randomness import generator
from pipelines.training.fit import Key
from pipelines.training.precision import computing_device
from pipelines.training.sharing import gathered

from ..prepare.arrays import read_corpus
from ..prepare.chemnet import activations, load_chemnet
from ..prepare.frechet import fcd, gaussian
from .chemistry import parse
from .scorers import Scorer
from .texts import spell
from .writer import Writer

Distance = Callable[[list[str]], float]  # of canonical SMILES to what is aimed at

_VALIDATION = 7  # key of the noise: none that `predict` draws from is the same
WORST = 1000.0  # a distance for fewer than two valid molecules, beyond any other


class Noise(Dataset[Tensor]):
    """Item (epoch, index) is standard normal noise (size,), the same in every epoch."""

    def __init__(self, n: int, size: int, seed: int) -> None:
        self.n, self.size, self.seed = n, size, seed

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, key: Key) -> Tensor:
        rng = generator(self.seed, _VALIDATION, key[1])
        drawn = rng.standard_normal(self.size, dtype=np.float32)
        return torch.from_numpy(drawn)


def chemnet_distance(prepared: Path) -> Distance:
    """Fréchet ChemNet distance to the validation molecules; `WORST` of fewer than two."""
    network, device = load_chemnet(prepared), computing_device()
    smiles = read_corpus(prepared, "validation").smiles()
    aim = gaussian(activations(network, smiles, device))

    def distance(canonical: list[str]) -> float:
        if min(len(canonical), aim.n) < 2:
            return WORST
        return fcd(activations(network, canonical, device), aim)

    return distance


class Validated(LightningModule):
    """Logs val_valid and val_fcd of what `writer()` writes from the noise of validation.

    Args:
        distance: of the valid molecules, as canonical SMILES, to real ones; finite.
        scorer: its mean over all written, invalid ones included, is logged as val_score.
    """

    def __init__(self, distance: Distance, scorer: Scorer | None = None) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.distance, self.scorer = distance, scorer
        self.written = list[Tensor]()

    def writer(self) -> Writer:
        """What is validated."""
        raise NotImplementedError

    def on_validation_epoch_start(self) -> None:
        """Nothing is written yet."""
        self.written = []

    def validation_step(self, batch: Tensor, index: int) -> None:
        """Write the molecules of some noise."""
        self.written.append(self.writer().write(batch))

    def on_validation_epoch_end(self) -> None:
        """Share of valid molecules, the distance of these to real ones, and what is aimed at."""
        tokens = gathered(torch.cat(self.written)).cpu().numpy()
        mols = parse(spell(tokens, self.writer().vocabulary))
        valid = [Chem.MolToSmiles(mol) for mol in mols if mol is not None]
        self.log("val_valid", len(valid) / len(mols))
        self.log("val_fcd", self.distance(valid))
        if self.scorer is not None:
            self.log("val_score", float(self.scorer(mols).mean()))
