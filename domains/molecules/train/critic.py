"""The discriminator: tells written molecules from real ones, as a text and as a chemist."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .chemistry import SEEN

WIDTHS = (3, 5, 9)  # tokens that a filter spans


class Critic(nn.Module):
    """D: a convolutional text classifier (Kim 2014) joined with a perceptron on RDKit's view.

    Args:
        tokens: size of the vocabulary; token 0 is the end and padding.
        channels: filters of each width.
        hidden: units of the hidden layers.
        dropout: share of the inputs and of the hidden units that are dropped.
    """

    def __init__(self, tokens: int, channels: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.embed = nn.Embedding(tokens, 32)
        self.filters = nn.ModuleList(nn.Conv1d(32, channels, w, padding=w // 2) for w in WIDTHS)
        self.chemistry = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(SEEN, hidden), nn.ReLU(), nn.Dropout(dropout)
        )
        self.join = nn.Sequential(
            nn.Linear(len(WIDTHS) * channels + hidden, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, 1),
        )

    def forward(self, tokens: Tensor, seen: Tensor) -> Tensor:
        """(batch,) logit D: the log of the odds that a molecule is real, float32.

        Args:
            tokens: (batch, length) int64, zeros after the last.
            seen: (batch, SEEN) float32, of `chemistry.look_at`.
        """
        return self.judge(self.embed(tokens), seen)

    def judge(self, embedded: Tensor, seen: Tensor) -> Tensor:
        """The same of tokens that are embedded: (batch, length, 32)."""
        text = embedded.transpose(1, 2)
        found = [torch.relu(layer(text)).amax(2) for layer in self.filters]
        return self.join(torch.cat([*found, self.chemistry(seen)], 1))[:, 0].float()
