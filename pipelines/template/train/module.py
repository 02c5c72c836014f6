"""How the network learns, as a LightningModule."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from pipelines.training.sharing import log_means

from .network import Network


class Regression(pl.LightningModule):
    """Least squares.

    Args:
        network: what learns.
        learning_rate: of Adam; halved every ten epochs.
    """

    def __init__(self, network: Network, learning_rate: float) -> None:
        super().__init__()
        self.network, self.learning_rate = network, learning_rate

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """Mean squared error."""
        spectra, target = batch
        loss = mse_loss(self.network(spectra), target)
        log_means(self, {"train_loss": loss}, len(target))
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """Mean absolute error, which selects the epoch."""
        spectra, target = batch
        error = (self.network(spectra) - target).abs().mean()
        log_means(self, {"val_mae": error}, len(target))

    def configure_optimizers(self) -> Any:
        """Adam with a step schedule."""
        optimiser = torch.optim.Adam(self.parameters(), lr=self.learning_rate)
        return [optimiser], [torch.optim.lr_scheduler.StepLR(optimiser, step_size=10, gamma=0.5)]
