"""The U-Net's training: pixel-wise softmax, weighted cross entropy, one-cycle AdamW."""

from typing import Any, Literal

import torch
import torch.nn.functional as F
from pytorch_lightning import LightningModule
from torch import Tensor

from pipelines.training.sharing import gathered, log_means

from .unet import UNet, centre


def weighted_cross_entropy(logits: Tensor, classes: Tensor, weights: Tensor) -> Tensor:
    """Σ w(x) · (−log p_true(x)) / Σ w(x): Ronneberger et al. 2015, equation 1, as a mean.

    logits (N, K, H, W), classes (N, H, W) int64, weights (N, H, W). Pixels of weight 0 have no
    gradient. Written with a one-hot product: indexing has no deterministic gradient on a GPU.
    """
    truth = F.one_hot(classes, logits.shape[1]).movedim(-1, 1)
    surprise = -(logits.log_softmax(dim=1) * truth).sum(dim=1)
    return (surprise * weights).sum() / weights.sum().clamp_min(1e-6)


def soft_dice_loss(logits: Tensor, classes: Tensor, weights: Tensor) -> Tensor:
    """1 − mean Dice of the classes but the background, of all pixels of weight above 0.

    Milletari et al. 2016, equation 4, with the denominator of Drozdzal et al. 2016 (no squares);
    shapes as in `weighted_cross_entropy`.
    """
    known = (weights > 0).unsqueeze(1)
    said = logits.softmax(dim=1) * known
    truth = F.one_hot(classes, logits.shape[1]).movedim(-1, 1) * known
    both, total = (x.sum(dim=(0, 2, 3))[1:] for x in (said * truth, said + truth))
    return 1 - ((2 * both + 1) / (total + 1)).mean()


class Segmenter(LightningModule):
    """A U-Net with its loss. Batches are (images, classes, weights), as `windows.py` gives them.

    `network`: arguments of `UNet`; `steps`: optimiser steps in all, for the schedule.
    `loss`: "cross_entropy" or "dice_cross_entropy", the sum of both (Isensee et al. 2021).
    With valid padding the network's answer is for the middle of a window.
    Logs train_loss, val_loss, val_dice (mean over the classes but the background, on all
    annotated pixels of the validation set together).
    """

    def __init__(
        self,
        network: dict[str, Any],
        loss: Literal["cross_entropy", "dice_cross_entropy"],
        learning_rate: float,
        weight_decay: float,
        steps: int,
    ) -> None:
        super().__init__()
        self.loss = loss
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
        loss, *_ = self._compare(batch, "train_loss")
        return loss

    def on_validation_epoch_start(self) -> None:
        """Begin to count."""
        self.counts.zero_()

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], index: int) -> None:
        """Count the pixels of each class that are said, true, and both."""
        _, logits, classes, weights = self._compare(batch, "val_loss")
        kinds = logits.shape[1]
        annotated = (weights > 0).unsqueeze(-1)
        said = F.one_hot(logits.argmax(dim=1), kinds) * annotated
        true = F.one_hot(classes, kinds) * annotated
        for row, count in enumerate((said * true, said, true)):
            self.counts[row] += count.sum(dim=(0, 1, 2))

    def on_validation_epoch_end(self) -> None:
        """Log the Dice over all batches together."""
        both, said, true = gathered(self.counts[None]).sum(dim=0)[:, 1:]
        dice = (2 * both / (said + true).clamp_min(1))[true > 0]
        self.log("val_dice", dice.mean() if len(dice) else torch.tensor(0.0))

    def _compare(
        self, batch: tuple[Tensor, Tensor, Tensor], name: str
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The loss, logged, and the logits with the classes and weights of their pixels."""
        images, *maps = batch
        logits = self(images)
        classes, weights = (centre(a, logits) for a in maps)
        loss = weighted_cross_entropy(logits, classes, weights)
        if self.loss == "dice_cross_entropy":
            loss = loss + soft_dice_loss(logits, classes, weights)
        log_means(self, {name: loss}, len(images))
        return loss, logits, classes, weights

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
