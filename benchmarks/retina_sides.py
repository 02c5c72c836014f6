"""Two ways to train the same network on the same eyes: by our train stage, and by a plain loop.

Both begin with the same weights and have the same batch size, losses, optimiser, schedule and
clipping of the gradient. Neither validates or writes anything while it learns.
"""

import logging
import warnings
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import albumentations as A
import cv2
import numpy as np
import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from domains.retina.train.augment import chain
from domains.retina.train.dataset import EyeBatches
from domains.retina.train.fits import member_fit
from domains.retina.train.intensity import with_noise
from domains.retina.train.losses import anatomy_loss, target_losses
from domains.retina.train.module import rate_groups
from domains.retina.train.network import Answer, EyeNetwork
from domains.retina.train.params import TrainParams
from domains.retina.train.setup import data_of, describe, freeze, network_of
from pipelines.training.memory import keep_memory
from pipelines.training.reproducible import prepare_torch
from pipelines.training.stage import make_trainer

BATCH = 64  # of validation


@dataclass
class Course:
    """What a training has seen, and its loss step by step."""

    images: int = 0
    losses: list[float] = field(default_factory=list)

    def add(self, loss: Tensor, images: int) -> None:
        """One step."""
        self.losses.append(float(loss))
        self.images += images


class Ours:
    """The fit of one member in retina's train stage in the stage's own Trainer.

    Precision and threads are as SCISTAGE_* say.
    """

    def __init__(self, prepared: Path, params: TrainParams) -> None:
        logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
        prepare_torch()
        keep_memory()
        about = describe(prepared, params)
        self.network = network_of(prepared, params, about)
        self.fit = member_fit("member_0", prepared, params, about, self.network)

    def learn(self, limit: int | None = None) -> Course:
        """All epochs, at most `limit` steps of each. The Trainer's own start is part of it."""
        note = _Note()
        trainer = make_trainer(self.fit, [note])
        trainer.limit_val_batches = 0
        if limit is not None:
            trainer.limit_train_batches = limit
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="pytorch_lightning")
            trainer.fit(self.fit.module, datamodule=self.fit.data)
        return note.course

    def validation_loss(self) -> float:
        """See the function."""
        return validation_loss(self.network, self.fit.data.val)


class Plain:
    """The loop of a tutorial: torch's DataLoader, albumentations' transforms, AdamW, one cycle.

    half: bfloat16 by autocast; last: memory format channels_last.
    """

    def __init__(self, prepared: Path, params: TrainParams, half: bool, last: bool) -> None:
        about = describe(prepared, params)
        self.network = network_of(prepared, params, about)
        freeze(self.network, params)
        self.layout = torch.channels_last if last else torch.contiguous_format
        self.network.to(memory_format=self.layout)
        self.binary = torch.tensor([t.kind == "binary" for t in self.network.targets])
        learnt, self.checked = data_of(prepared, params, about)
        self.photographs = Photographs(learnt, transforms(params, params.seed))
        self.params, self.half = params, half

    def learn(self, limit: int | None = None) -> Course:
        """All epochs, at most `limit` steps of each."""
        p, course = self.params, Course()
        torch.manual_seed(p.seed)
        loader = DataLoader(self.photographs, batch_size=p.batch_size, shuffle=True)
        groups = rate_groups(self.network, p.learning_rate, p.backbone_rate)
        peaks = [group["lr"] for group in groups]
        optimizer = torch.optim.AdamW(groups, weight_decay=p.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, peaks, total_steps=p.epochs * len(loader)
        )
        self.network.train()
        for _ in range(p.epochs):
            for batch in islice(loader, limit):
                loss = self._loss(*batch)
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.network.parameters(), p.gradient_clip)
                optimizer.step()
                schedule.step()
                course.add(loss.detach(), len(batch[0]))
        return course

    def _loss(self, images: Tensor, truth: Tensor, anatomy: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            seen = with_noise(self.network.look(images), images, self.params.noise)
            answer = self.network.judge(seen.contiguous(memory_format=self.layout))
        loss = target_losses(answer, truth, self.binary).sum()
        if self.network.anatomy:
            loss = loss + self.params.auxiliary * anatomy_loss(answer, anatomy)
        return loss

    def validation_loss(self) -> float:
        """See the function."""
        return validation_loss(self.network, self.checked)


class Photographs(Dataset[tuple[np.ndarray, Tensor, Tensor]]):
    """One eye at a time: (H, W, 3) uint8, augmented; truth (T,); anatomy (A,)."""

    def __init__(self, eyes: EyeBatches, steps: A.Compose) -> None:
        self.eyes, self.steps = eyes, steps

    def __len__(self) -> int:
        return len(self.eyes)

    def __getitem__(self, index: int) -> tuple[np.ndarray, Tensor, Tensor]:
        image = self.steps(image=self.eyes.images[index])["image"]
        return image, self.eyes.truth[index], self.eyes.anatomy[index]


def transforms(params: TrainParams, seed: int) -> A.Compose:
    """The augmentation of retina's train stage, its own shift replaced by albumentations'."""
    shared = chain(params.model_copy(update={"shift_px": 0}))
    steps: list[Any] = list(shared.transforms) if shared else []
    if params.shift_px:
        most = params.shift_px
        steps.append(A.Affine(translate_px=(-most, most), interpolation=cv2.INTER_NEAREST, p=1.0))
    return A.Compose(steps, seed=seed)


@torch.no_grad()
def validation_loss(network: EyeNetwork, eyes: EyeBatches) -> float:
    """Sum of the targets' mean losses over all these eyes, in float32, without the anatomy."""
    network = network.eval().to(memory_format=torch.channels_last)
    keys = [(0, index) for index in range(len(eyes))]
    parts = []
    for start in range(0, len(keys), BATCH):
        images, _, _ = eyes.__getitems__(keys[start : start + BATCH])
        answer = network(images)
        parts.append((answer.centre, answer.log_variance))
    centre, log_variance = (torch.cat(part) for part in zip(*parts, strict=True))
    binary = torch.tensor([target.kind == "binary" for target in network.targets])
    said = Answer(centre, log_variance, eyes.anatomy, attention=torch.empty(0))
    return float(target_losses(said, eyes.truth, binary).sum())


class _Note(Checkpoint):
    """Notes each step; being a `Checkpoint` it keeps Lightning from writing its own."""

    def __init__(self) -> None:
        self.course = Course()

    def on_train_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, index: int
    ) -> None:
        """Loss and size of a batch."""
        self.course.add(outputs["loss"], len(batch[0]))
