"""What does the critic object to? How much each token of a written molecule decides."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor

from pipelines.core.randomness import generator

from ..train.critic import Critic

_ROWS = 1024  # texts of which one token is silenced, judged at the same time


@dataclass(frozen=True)
class Judged:
    """Of n molecules: tokens (n, L) int64, zeros after the last; seen (n, SEEN); `logit` (n,);
    `weight` (n, L): the logit less that without the token, NaN where there is none."""

    tokens: Tensor
    seen: Tensor
    logit: NDArray[np.float64]
    weight: NDArray[np.float64]


@torch.no_grad()
def weigh(critic: Critic, tokens: Tensor, seen: Tensor) -> Judged:
    """What each token adds to the logit: it less the logit with the token's embedding at zero.

    Occlusion (Zeiler and Fergus 2014). What is seen of the molecule as a graph stays as it is, so
    that only the reading of the text is explained. Positive speaks for a real molecule, negative
    for a written one.

    Args:
        critic: in evaluation mode.
        tokens: (n, L) int64, zeros after the last.
        seen: (n, SEEN) float32.
    """
    device = critic.embed.weight.device
    tokens, seen = tokens.to(device), seen.to(device)
    embedded = critic.embed(tokens)
    logits = critic.judge(embedded, seen)
    rows, columns = (tokens > 0).nonzero(as_tuple=True)
    weight = torch.full(tokens.shape, torch.nan, dtype=torch.float64)
    for start in range(0, len(rows), _ROWS):
        row, column = rows[start : start + _ROWS], columns[start : start + _ROWS]
        silenced = embedded[row]
        silenced[torch.arange(len(row), device=device), column] = 0
        change = logits[row] - critic.judge(silenced, seen[row])
        weight[row.cpu(), column.cpu()] = change.double().cpu()
    return Judged(tokens.cpu(), seen.cpu(), logits.double().cpu().numpy(), weight.numpy())


def randomised(critic: Critic, *key: int) -> Critic:
    """The same critic with every weight tensor shuffled: the control of Adebayo et al. 2018."""
    other, rng = copy.deepcopy(critic), generator(*key)
    with torch.no_grad():
        for weights in other.parameters():
            order = torch.from_numpy(rng.permutation(weights.numel())).to(weights.device)
            weights.copy_(weights.flatten()[order].reshape(weights.shape))
    return other


def agreement(ours: Judged, theirs: Judged) -> float:
    """Mean over molecules of the rank correlation of both weights; NaN if no molecule has one."""
    found = []
    for a, b in zip(ours.weight, theirs.weight, strict=True):
        here = np.isfinite(a)
        if np.ptp(a[here]) > 0 and np.ptp(b[here]) > 0:
            found.append(float(spearmanr(a[here], b[here]).statistic))
    return float(np.mean(found)) if found else float("nan")


def by_token(judged: Judged, vocabulary: list[str]) -> dict[str, NDArray[np.float64]]:
    """The mean weight of each kind of token in each molecule that has any."""
    tokens = judged.tokens.numpy()
    found = {}
    for k, name in enumerate(vocabulary[1:], start=1):
        rows = np.flatnonzero((tokens == k).any(axis=1))
        found[name] = np.array([judged.weight[r][tokens[r] == k].mean() for r in rows])
    return found
