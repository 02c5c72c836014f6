"""Training of the network: weighted and masked losses, AdamW on a one-cycle schedule."""

from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torchmetrics.functional import r2_score
from torchmetrics.functional.classification import binary_auroc

from pipelines.training.sharing import gathered, log_means

from .dataset import Batch
from .losses import loss_of
from .network import BondNetwork
from .params import TrainParams


class Screener(LightningModule):
    """A `BondNetwork` with its loss.

    weights: (2, T) of `losses.class_weights`; steps: optimiser steps in all, for the schedule.
    Logs train_loss, val_loss and of each target `val_<t>_auc` or `val_<t>_r2`, the three over all
    validation molecules at once.
    """

    weights: Tensor
    classes: Tensor

    def __init__(
        self, network: BondNetwork, params: TrainParams, weights: Tensor, steps: int
    ) -> None:
        super().__init__()
        self.network, self.params, self.steps = network, params, steps
        classes = torch.tensor([target.kind == "class" for target in network.targets])
        self.register_buffer("classes", classes, persistent=False)
        self.register_buffer("weights", weights, persistent=False)
        self.answers: list[tuple[Tensor, Tensor]] = []

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Loss of one batch."""
        said = self.network(batch.molecules).float()
        loss = loss_of(said, self._standardised(batch.truth), self.classes, self.weights)
        log_means(self, {"train_loss": loss}, len(said))
        return loss

    def on_validation_epoch_start(self) -> None:
        """Begin to collect."""
        self.answers = []

    def validation_step(self, batch: Batch, index: int) -> None:
        """Collect what is said and what is true."""
        said = self.network(batch.molecules).float()
        self.answers.append((said, self._standardised(batch.truth)))

    def on_validation_epoch_end(self) -> None:
        """Log the loss and how well each target is told."""
        parts = zip(*self.answers, strict=True)
        said, truth = (gathered(torch.cat(part)) for part in parts)
        self.log("val_loss", loss_of(said, truth, self.classes, self.weights))
        for k, target in enumerate(self.network.targets):
            known = ~truth[:, k].isnan()
            told, true = said[known, k], truth[known, k]
            if target.kind == "class":
                self.log(f"val_{target.name}_auc", binary_auroc(told, true.long()))
            else:
                self.log(f"val_{target.name}_r2", r2_score(told, true))

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW (Loshchilov & Hutter 2019) on a one-cycle schedule (Smith & Topin 2019)."""
        rate = self.params.learning_rate
        optimizer = torch.optim.AdamW(
            self.network.parameters(), rate, weight_decay=self.params.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=self.steps)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _standardised(self, truth: Tensor) -> Tensor:
        return (truth - self.network.target_mean) / self.network.target_sd
