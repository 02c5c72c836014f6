"""Losses of values and of yes-or-no questions, of which some answers are unknown (NaN)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from .network import Answer


def mean_of_known(losses: Tensor, known: Tensor) -> Tensor:
    """(N, T) losses and which are known → (T,) means over the known; 0 where none is."""
    return torch.where(known, losses, 0.0).sum(dim=0) / known.sum(dim=0).clamp_min(1)


def known_shares(truth: Tensor) -> Tensor:
    """(N, T) answers, NaN if unknown → (T,) the share of each that is known."""
    return (~truth.isnan()).float().mean(dim=0)


def target_losses(
    answer: Answer,
    truth: Tensor,
    binary: Tensor,
    share: Tensor | None = None,
    beta: float = 0.0,
) -> Tensor:
    """(T,) losses: of values ½ (log σ² + (y − μ)² / σ²), of binary targets the cross entropy.

    The first is a Gaussian's negative log-likelihood without its constant (Nix & Weigend 1994);
    times σ^2β, which is not differentiated (Seitzer et al. 2022): with β = 1 the gradient of μ is
    that of ½ (y − μ)², which an uncertain eye does not escape;
    truth (N, T): values standardised, binary 0 or 1, NaN if unknown; binary (T,): which are.
    Means over the known answers. share (T,): of the known among all training eyes; with it, the
    sums are divided by N · share instead, so that an answer's weight does not depend on how many
    others its batch happens to know.
    """
    known = ~truth.isnan()
    truth = torch.where(known, truth, 0.0)
    residual = truth - answer.centre
    gaussian = 0.5 * (answer.log_variance + residual**2 * torch.exp(-answer.log_variance))
    gaussian = gaussian * torch.exp(beta * answer.log_variance.detach())
    surprise = F.binary_cross_entropy_with_logits(answer.centre, truth, reduction="none")
    losses = torch.where(binary, surprise, gaussian)
    if share is None:
        return mean_of_known(losses, known)
    return torch.where(known, losses, 0.0).sum(dim=0) / (len(truth) * share)


def anatomy_loss(answer: Answer, truth: Tensor) -> Tensor:
    """Mean squared error of the standardised anatomy (N, A), NaN if unknown."""
    known = ~truth.isnan()
    square = (torch.where(known, truth, 0.0) - answer.anatomy) ** 2
    return mean_of_known(square, known).mean()
