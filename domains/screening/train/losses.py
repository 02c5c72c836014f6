"""Losses of classes and values, of which some are unknown (NaN)."""

import torch
import torch.nn.functional as F
from torch import Tensor


def class_weights(truth: Tensor, classes: Tensor, balance: float) -> Tensor:
    """(2, T) weights of an answer: of those that are no 1, and of ones of a class.

    All targets count the same, whatever share of their answers is known: the weights of a target
    add up to N over its known answers. Those of a class that n of N molecules have are as n⁻ᵇ.

    truth: (N, T) of all training molecules, NaN if unknown; classes: (T,), which targets are;
    balance: b, 0 for equal weights, 1 for equal sums of both classes' weights.
    """
    ones = (classes & (truth > 0.5)).sum(dim=0)
    counts = torch.stack([(~truth.isnan()).sum(dim=0) - ones, ones])
    weights = counts.clamp_min(1) ** -balance
    return weights * len(truth) / (weights * counts).sum(dim=0)


def loss_of(said: Tensor, truth: Tensor, classes: Tensor, weights: Tensor) -> Tensor:
    """Mean over molecules and targets: cross entropy of classes, squared error of values.

    said, truth: (B, T) logits and 0 or 1, or standardised values; truth NaN if unknown;
    classes: (T,); weights: (2, T) of `class_weights`.
    """
    known = ~truth.isnan()
    truth = torch.where(known, truth, 0.0)
    surprise = F.binary_cross_entropy_with_logits(said, truth, reduction="none")
    losses = torch.where(classes, surprise, (said - truth) ** 2)
    weight = torch.where(classes & (truth > 0.5), weights[1], weights[0])
    return torch.where(known, weight * losses, 0.0).mean()
