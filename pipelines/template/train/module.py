"""The network, as a LightningModule."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn


class Network(pl.LightningModule):
    """Spectrum to concentration.

    Args:
        channels: wavelengths of a spectrum.
        hidden: units of the hidden layer.
        mean, scale: of the training spectra, by which every spectrum is standardised.
        learning_rate: of Adam; halved every ten epochs.
    """

    def __init__(
        self, channels: int, hidden: int, mean: float, scale: float, learning_rate: float
    ) -> None:
        super().__init__()
        self.mean, self.scale, self.learning_rate = mean, scale, learning_rate
        self.layers = nn.Sequential(nn.Linear(channels, hidden), nn.GELU(), nn.Linear(hidden, 1))

    def forward(self, spectra: Tensor) -> Tensor:
        """Spectra of shape (batch, channels) to concentrations of shape (batch,), in mmol/l."""
        return self.layers((spectra - self.mean) / self.scale).squeeze(-1)

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """Mean squared error."""
        spectra, target = batch
        loss = nn.functional.mse_loss(self(spectra), target)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(target))
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        """Mean absolute error, which selects the epoch."""
        spectra, target = batch
        error = (self(spectra) - target).abs().mean()
        self.log("val_mae", error, on_step=False, on_epoch=True, batch_size=len(target))

    def configure_optimizers(self) -> Any:
        """Adam with a step schedule."""
        optimiser = torch.optim.Adam(self.parameters(), lr=self.learning_rate)
        return [optimiser], [torch.optim.lr_scheduler.StepLR(optimiser, step_size=10, gamma=0.5)]
