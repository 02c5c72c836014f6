"""The warm-up: the generator learns the likelihood of real molecules."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pytorch_lightning import LightningModule
from torch.optim import AdamW, Muon
from torch.optim.lr_scheduler import OneCycleLR

from pipelines.training.sharing import log_means

from .batches import Batch
from .generator import Generator

CLIP = 30.0  # largest norm of a gradient of nats a molecule
_FEWEST = 11  # steps that a schedule needs for its rise to be one


@dataclass(frozen=True)
class Pace:
    """learning_rate: peak of the one-cycle schedule; steps: of all; weight_decay: of matrices."""

    learning_rate: float
    steps: int
    weight_decay: float


class Likelihood(LightningModule):
    """Maximum likelihood with a one-cycle schedule to 0 (Smith and Topin 2018).

    The recurrent matrices are updated by Muon (Jordan et al. 2024), which learns more from a
    molecule than AdamW does; all else by AdamW.
    """

    def __init__(self, generator: Generator, pace: Pace) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.generator, self.pace = generator, pace

    def training_step(self, batch: Batch, index: int) -> None:
        """One step of both optimisers.

        Each molecule counts the same: a mean over tokens would favour short ones, since those of a
        batch are nearly equally long.
        """
        loss = -self.generator.log_likelihood(*batch).mean()
        optimisers = self.optimizers()
        for optimiser in optimisers:
            optimiser.zero_grad()
        self.manual_backward(loss)
        torch.nn.utils.clip_grad_norm_(self.generator.parameters(), CLIP)
        for optimiser, schedule in zip(optimisers, self.lr_schedulers(), strict=True):
            optimiser.step()
            schedule.step()
        log_means(self, {"train_nats": loss.detach()}, batch[0].shape[1])

    def validation_step(self, batch: Batch, index: int) -> None:
        """Negative log-likelihood of held-out molecules, in nats a molecule."""
        found = -self.generator.log_likelihood(*batch)
        log_means(self, {"val_nats": found.mean()}, len(found))

    def configure_optimizers(self) -> tuple[list[torch.optim.Optimizer], list[OneCycleLR]]:
        """Muon for the matrices of the recurrent layers, AdamW for all else."""
        pace = self.pace
        matrices = [p for p in self.generator.recurrent.parameters() if p.ndim == 2]
        chosen = {id(p) for p in matrices}
        others = [p for p in self.generator.parameters() if id(p) not in chosen]
        rate, decay = pace.learning_rate, pace.weight_decay
        optimisers: list[torch.optim.Optimizer] = [
            Muon(matrices, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw"),
            AdamW(others, lr=rate, weight_decay=0.0, betas=(0.9, 0.98)),
        ]
        schedules = [
            OneCycleLR(o, rate, total_steps=max(pace.steps + 1, _FEWEST), pct_start=0.1)
            for o in optimisers
        ]
        return optimisers, schedules
