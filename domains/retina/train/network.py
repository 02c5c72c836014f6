"""The network: a shared backbone, and for each target attention of its own and a head."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..prepare.arrays import Target
from .intensity import LOOKS
from .lite0 import EfficientNetLite0
from .small import SmallResNet

LOG_VARIANCE = (-6.0, 3.0)  # of standardised targets


@dataclass(frozen=True)
class Answer:
    """What the heads say of N photographs, of T targets and A anatomical features.

    centre: (N, T) standardised means of values, logits of binary targets; log_variance: (N, T),
    of values; anatomy: (N, A) standardised; attention: (N, T, h, w), summing to 1 over h × w.
    """

    centre: Tensor
    log_variance: Tensor
    anatomy: Tensor
    attention: Tensor


class AttentionHeads(nn.Module):
    """For each of T questions: learnt soft attention, then a linear head.

    Where to look is a softmax over the places (Poplin et al. 2018, supplement; Xu et al. 2015),
    `maps` for each question; the features averaged there go into (N, T, outputs). Attention
    starts uniform.
    """

    def __init__(
        self, channels: int, questions: int, outputs: int, maps: int, dropout: float
    ) -> None:
        super().__init__()
        self.questions, self.maps = questions, maps
        self.where = nn.Conv2d(channels, questions * maps, 1, bias=False)
        self.weight = nn.Parameter(torch.empty(questions, maps * channels, outputs))
        self.bias = nn.Parameter(torch.zeros(questions, outputs))
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.where.weight)
        nn.init.normal_(self.weight, std=(maps * channels) ** -0.5)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, h, w) → answers (N, T, outputs) and attention (N, T, h, w)."""
        n, _, height, width = features.shape
        where = self.where(features).flatten(2).softmax(dim=2)
        seen = where @ features.flatten(2).transpose(1, 2)  # (N, T·maps, C)
        seen = self.dropout(seen.reshape(n, self.questions, -1))
        answers = torch.einsum("ntc,tco->nto", seen, self.weight) + self.bias
        mean = where.reshape(n, self.questions, self.maps, height, width).mean(dim=2)
        return answers, mean


class EyeNetwork(nn.Module):
    """Photographs of eyes → what is said of each target.

    targets: in the order of the answers; mean and sd: of the values among the training eyes (0
    and 1 for binary targets); anatomy: names of the features that auxiliary heads learn.
    backbone, width, look, maps, dropout, mirror: see `TrainParams`. size: edge of the photographs
    that it learns from, px; it takes others, but calibres then mean something else.
    """

    def __init__(
        self,
        targets: Sequence[dict[str, Any]],
        mean: Sequence[float],
        sd: Sequence[float],
        anatomy: Sequence[str],
        backbone: str,
        width: int,
        look: str,
        maps: int,
        dropout: float,
        mirror: bool,
        size: int,
    ) -> None:
        super().__init__()
        self.mirror, self.size = mirror, size
        self.targets = [Target(**target) for target in targets]
        self.anatomy = list(anatomy)
        self.register_buffer("mean", torch.tensor(mean), persistent=False)
        self.register_buffer("sd", torch.tensor(sd), persistent=False)
        self.look = LOOKS[look]()
        self.backbone = SmallResNet(width) if backbone == "small" else EfficientNetLite0()
        channels = self.backbone.channels
        self.heads = AttentionHeads(channels, len(self.targets), 2, maps, dropout)
        self.auxiliary: AttentionHeads | None = None
        if self.anatomy:
            self.auxiliary = AttentionHeads(channels, len(self.anatomy), 1, maps, dropout)
        self.frozen = 0
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Answer:
        """(N, H, W, 3) uint8, or real numbers from 0 to 255."""
        return self.judge(self.look(images))

    def judge(self, seen: Tensor) -> Answer:
        """The same of what `look` makes of the photographs, (N, 3, H, W) float32."""
        features = self.backbone(seen)
        with torch.autocast(features.device.type, enabled=False):
            features = features.float()
            answers, attention = self.heads(features)
            low, high = LOG_VARIANCE
            middle, half = (high + low) / 2, (high - low) / 2
            spread = middle + half * torch.tanh((answers[..., 1] - middle) / half)
            anatomy = answers.new_zeros(len(answers), 0)
            if self.auxiliary is not None:
                anatomy = self.auxiliary(features)[0][..., 0]
        return Answer(answers[..., 0], spread, anatomy, attention)

    def freeze(self, parts: int) -> None:
        """Keep this many leading parts of the backbone as they are, their statistics too."""
        self.frozen = parts
        for part in self.backbone.parts()[:parts]:
            for module in part:
                module.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> "EyeNetwork":
        """Frozen parts stay as for prediction: their normalisation takes up no statistics."""
        super().train(mode)
        for part in self.backbone.parts()[: self.frozen]:
            for module in part:
                module.eval()
        return self


def frozen_parts(freeze: str, network: EyeNetwork) -> int:
    """How many leading parts of the backbone `freeze` keeps: all, none or until block N."""
    if freeze in ("all", "none"):
        return len(network.backbone.parts()) if freeze == "all" else 0
    return 1 + int(freeze.removeprefix("until "))  # the stem is a part too
