"""The U-Net's training: pixel-wise softmax, weighted cross entropy, one-cycle AdamW."""

from typing import Any

import torch
import torch.nn.functional as F
from pytorch_lightning import LightningModule
from torch import Tensor

from .unet import UNet


def weighted_cross_entropy(logits: Tensor, classes: Tensor, weights: Tensor) -> Tensor:
    """Σ w(x) · (−log p_true(x)) / Σ w(x): Ronneberger et al. 2015, equation 1, as a mean.

    logits (N, K, H, W), classes (N, H, W) int64, weights (N, H, W). Pixels of weight 0 have no
    gradient. Written with a one-hot product: indexing has no deterministic gradient on a GPU.
    """
    truth = F.one_hot(classes, logits.shape[1]).movedim(-1, 1)
    surprise = -(logits.log_softmax(dim=1) * truth).sum(dim=1)
    return (surprise * weights).sum() / weights.sum().clamp_min(1e-6)


class Segmenter(LightningModule):
    """A U-Net with its loss. Batches are (images, classes, weights), as `windows.py` gives them.

    `network`: arguments of `UNet`; `steps`: optimiser steps in all, for the schedule.
    Logs train_loss, val_loss, val_dice (mean over the classes but the background, on all
    annotated pixels of the validation set together).
    """

    def __init__(
        self, network: dict[str, Any], learning_rate: float, weight_decay: float, steps: int
    ) -> None:
        super().__init__()
        self.network = UNet(**network).to(memory_format=torch.channels_last)
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.steps = steps
        self.register_buffer(
            "counts", torch.zeros(3, network["classes"], dtype=torch.long), persistent=False
        )

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) normalised images → (N, K, H, W) logits."""
        return self.network(images.contiguous(memory_format=torch.channels_last))

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], index: int) -> Tensor:
        """Loss of one batch."""
        images, classes, weights = batch
        loss = weighted_cross_entropy(self(images), classes, weights)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(images))
        return loss

    def on_validation_epoch_start(self) -> None:
        """Begin to count."""
        self.counts.zero_()

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], index: int) -> None:
        """Count the pixels of each class that are said, true, and both."""
        images, classes, weights = batch
        logits = self(images)
        loss = weighted_cross_entropy(logits, classes, weights)
        self.log("val_loss", loss, on_step=False, on_epoch=True, batch_size=len(images))
        kinds = logits.shape[1]
        annotated = (weights > 0).unsqueeze(-1)
        said = F.one_hot(logits.argmax(dim=1), kinds) * annotated
        true = F.one_hot(classes, kinds) * annotated
        for row, count in enumerate((said * true, said, true)):
            self.counts[row] += count.sum(dim=(0, 1, 2))

    def on_validation_epoch_end(self) -> None:
        """Log the Dice over all batches together."""
        both, said, true = self.counts[:, 1:]
        dice = (2 * both / (said + true).clamp_min(1))[true > 0]
        self.log("val_dice", dice.mean() if len(dice) else torch.tensor(0.0))

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW (Loshchilov & Hutter 2019) on a one-cycle schedule (Smith & Topin 2019)."""
        optimizer = torch.optim.AdamW(
            self.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, self.learning_rate, total_steps=self.steps
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }
