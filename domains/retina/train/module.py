"""Training of the network: masked losses, discriminative learning rates, one-cycle AdamW."""

from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor

from pipelines.training.sharing import gathered, log_means

from .dataset import Batch
from .intensity import with_noise
from .losses import anatomy_loss, target_losses
from .network import Answer, EyeNetwork
from .params import TrainParams


class EyeReader(LightningModule):
    """An `EyeNetwork` with its loss: the weighted sum of the targets' and the anatomy's.

    steps: optimiser steps in all, for the schedule; share: (T,) of the training eyes whose answer
    is known; weights: (T,) of the targets. Logs train_loss, val_loss (of the targets alone, over
    all validation eyes at once), and of each target `val_<t>_r2` for values, `val_<t>_auc` for
    binary ones, per eye.
    """

    def __init__(
        self,
        network: EyeNetwork,
        params: TrainParams,
        steps: int,
        share: Tensor,
        weights: Tensor,
    ) -> None:
        super().__init__()
        self.network, self.params, self.steps = network, params, steps
        kinds = [target.kind == "binary" for target in network.targets]
        self.register_buffer("binary", torch.tensor(kinds), persistent=False)
        self.register_buffer("share", share, persistent=False)
        self.register_buffer("weights", weights, persistent=False)
        self.said: list[tuple[Tensor, Tensor, Tensor]] = []

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Loss of one batch."""
        images, truth, anatomy = batch
        seen = with_noise(self.network.look(images), images, self.params.noise)
        answer = self.network.judge(seen)
        losses = target_losses(answer, truth, self.binary, self.share, self.params.beta)
        loss = (self.weights * losses).sum()
        if self.network.anatomy:
            loss = loss + self.params.auxiliary * anatomy_loss(answer, anatomy)
        log_means(self, {"train_loss": loss}, len(images))
        return loss

    def on_validation_epoch_start(self) -> None:
        """Begin to collect."""
        self.said = []

    def validation_step(self, batch: Batch, index: int) -> None:
        """Collect what is said and what is true."""
        images, truth, _ = batch
        answer: Answer = self.network(images)
        self.said.append((answer.centre, answer.log_variance, truth))

    def on_validation_epoch_end(self) -> None:
        """Log the loss and how well each target is read, over all that is known of the split."""
        parts = zip(*self.said, strict=True)
        centre, spread, truth = (gathered(torch.cat(part)) for part in parts)
        answer = Answer(centre, spread, centre[:, :0], centre)
        losses = target_losses(answer, truth, self.binary)
        self.log("val_loss", (self.weights * losses).sum())
        centre, truth = centre.cpu(), truth.cpu()
        for k, target in enumerate(self.network.targets):
            known = ~truth[:, k].isnan()
            said, true = centre[known, k].double(), truth[known, k].double()
            if target.kind == "binary":
                self.log(f"val_{target.name}_auc", area_under_curve(said, true))
            else:
                self.log(f"val_{target.name}_r2", explained(said, true))

    def configure_optimizers(self) -> dict[str, Any]:
        """AdamW (Loshchilov & Hutter 2019) on a one-cycle schedule (Smith & Topin 2019)."""
        peak = self.params.learning_rate
        groups = rate_groups(self.network, peak, self.params.backbone_rate)
        optimizer = torch.optim.AdamW(groups, weight_decay=self.params.weight_decay)
        peaks = [group["lr"] for group in groups]
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peaks, total_steps=self.steps)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def rate_groups(network: EyeNetwork, peak: float, lowest: float) -> list[dict[str, Any]]:
    """Parameters that learn, part by part, each with its learning rate (Howard & Ruder 2018).

    The stem's rate is `lowest` · peak, the heads' is peak; between them it rises geometrically.
    """
    parts = network.backbone.parts()
    heads = [m for m in (network.heads, network.auxiliary) if m is not None]
    groups = []
    for k, modules in enumerate([*parts, heads]):
        learning = [p for m in modules for p in m.parameters() if p.requires_grad]
        if learning:
            rate = peak * lowest ** (1 - k / len(parts))
            groups.append({"params": learning, "lr": rate})
    return groups


def explained(said: Tensor, true: Tensor) -> Tensor:
    """R²: the share of the variance that is explained; 0 if nothing varies."""
    total = ((true - true.mean()) ** 2).sum() if len(true) else torch.tensor(0.0)
    return 1 - ((true - said) ** 2).sum() / total if total > 0 else torch.tensor(0.0)


def area_under_curve(said: Tensor, true: Tensor) -> Tensor:
    """ROC AUC as the share of ordered pairs; ½ if there is one kind alone."""
    ones, zeros = said[true > 0.5], said[true <= 0.5]
    if not len(ones) or not len(zeros):
        return torch.tensor(0.5)
    above = (ones[:, None] > zeros).double() + 0.5 * (ones[:, None] == zeros).double()
    return above.mean()
