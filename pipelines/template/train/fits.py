"""The data of the fit, and the fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from pipelines.core.randomness import seed_everything
from pipelines.training.fit import EpochDataModule, Fit, Key

from ..prepare.reading import read_split
from .module import Regression
from .network import Network
from .params import TrainParams


class Spectra(Dataset[tuple[Tensor, Tensor]]):
    """Spectra of shape (channels,) with their concentrations, indexed by (epoch, index)."""

    def __init__(self, spectra: np.ndarray, concentrations: np.ndarray) -> None:
        self.spectra = torch.from_numpy(spectra)
        self.concentrations = torch.from_numpy(concentrations.astype(np.float32))

    def __len__(self) -> int:
        return len(self.spectra)

    def __getitem__(self, key: Key) -> tuple[Tensor, Tensor]:
        _, index = key
        return self.spectra[index], self.concentrations[index]


def network_fit(params: TrainParams, prepared: Path, name: str = "network") -> Fit:
    """A fit; each that `train` yields has a name of its own."""
    spectra, concentrations = read_split(prepared, "train")
    model = {
        "channels": spectra.shape[1],
        "hidden": params.hidden,
        "mean": float(f"{spectra.mean():.6g}"),  # as model.json keeps them
        "scale": float(f"{spectra.std():.6g}"),
    }
    seed_everything(params.seed)
    return Fit(
        name=name,
        module=Regression(Network(**model), params.learning_rate),
        data=EpochDataModule(
            Spectra(spectra, concentrations),
            Spectra(*read_split(prepared, "validation")),
            batch_size=params.batch_size,
            seed=params.seed,
        ),
        epochs=params.epochs,
        seed=params.seed,
        monitor="val_mae",
        mode="min",
        model=model,
    )
