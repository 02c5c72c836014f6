"""Learning from eyes without labels: by how many quarter turns has a photograph been turned?

Gidaris et al. 2018. To tell it, the backbone has to know disc, fovea and arcades.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.utils.data import Dataset

from pipelines.core.randomness import generator
from pipelines.training.sharing import log_means

from .dataset import EyeBatches, Key
from .network import EyeNetwork

TURNS = 4
OWN = 1  # sets this generator apart from the augmentation's

Turned = tuple[Tensor, Tensor]


class TurnedEyes(Dataset[Turned]):
    """Batches (images (B, H, W, 3) uint8, turns (B,) int64) of the eyes of another dataset."""

    def __init__(self, eyes: EyeBatches, seed: int) -> None:
        self.eyes, self.seed = eyes, seed

    def __len__(self) -> int:
        return len(self.eyes)

    def __getitem__(self, key: Key) -> Turned:
        images, turns = self.__getitems__([key])
        return images[0], turns[0]

    def __getitems__(self, keys: Sequence[Key]) -> Turned:
        turns = [int(generator(self.seed, *key, OWN).integers(TURNS)) for key in keys]
        images = self.eyes.__getitems__(keys)[0].numpy()
        turned = [np.rot90(image, k) for image, k in zip(images, turns, strict=True)]
        return torch.from_numpy(np.stack(turned)), torch.tensor(turns)


class TurnReader(LightningModule):
    """The backbone of an `EyeNetwork` with a head that tells the turn.

    Logs train_loss, val_loss and val_accuracy.
    """

    def __init__(self, network: EyeNetwork, peak: float, decay: float, steps: int) -> None:
        super().__init__()
        self.look, self.backbone = network.look, network.backbone
        self.head = nn.Linear(self.backbone.channels, TURNS)
        self.peak, self.decay, self.steps = peak, decay, steps

    def forward(self, images: Tensor) -> Tensor:
        """(N, H, W, 3) → (N, TURNS) logits."""
        return self.head(self.backbone(self.look(images)).mean(dim=(2, 3)))

    def training_step(self, batch: Turned, index: int) -> Tensor:
        """Loss of one batch."""
        return self._compare(batch, "train_loss")[0]

    def validation_step(self, batch: Turned, index: int) -> None:
        """Loss and accuracy of one batch."""
        _, logits = self._compare(batch, "val_loss")
        right = (logits.argmax(dim=1) == batch[1]).float().mean()
        log_means(self, {"val_accuracy": right}, len(logits))

    def configure_optimizers(self) -> dict[str, Any]:
        """As for the labels."""
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.peak, weight_decay=self.decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, self.peak, total_steps=self.steps)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _compare(self, batch: Turned, name: str) -> tuple[Tensor, Tensor]:
        images, turns = batch
        logits = self(images).float()
        loss = F.cross_entropy(logits, turns)
        log_means(self, {name: loss}, len(images))
        return loss, logits
