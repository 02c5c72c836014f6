"""The control that must fail: the same networks with their weights shuffled."""

from __future__ import annotations

import copy

import torch
from torch import nn

from pipelines.core.randomness import generator


def randomised(network: nn.Module, *key: int) -> nn.Module:
    """A copy with the numbers of every weight tensor in another order (Adebayo et al. 2018).

    Shuffling keeps each layer's distribution of weights and destroys what they say together.
    """
    other, rng = copy.deepcopy(network), generator(*key)
    with torch.no_grad():
        for weights in other.parameters():
            order = torch.from_numpy(rng.permutation(weights.numel())).to(weights.device)
            weights.copy_(weights.flatten()[order].reshape(weights.shape))
    return other
