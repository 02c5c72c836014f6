"""GuacaMol's score of how alike the distributions of ten descriptors are.

Brown et al. 2019, J. Chem. Inf. Model. 59:1096, section "Kullback-Leibler divergence": the mean of
exp(−KL(training ‖ generated)) over nine descriptors and the similarity to the most similar
molecule of the same set, of unique molecules without stereochemistry.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.chemistry.nearest import nearest
from pipelines.statistics.bootstrap import Interval

from .intervals import from_influence
from .molecules import DESCRIPTORS, Molecules

MOST = 10_000  # molecules of a set, as in GuacaMol
_GRID, _BINS, _TINY = 1000, 10, 1e-10
_CONTINUOUS = 4  # of the columns: BertzCT, logP, weight, TPSA; then five counts; then similarity


@dataclass(frozen=True)
class Profile:
    """(n, 10) descriptors of the first n unique molecules of a set, at most MOST."""

    columns: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.columns)


def profile(molecules: Molecules, device: str | torch.device) -> Profile:
    """The descriptors that the score compares."""
    first = list({flat: k for k, flat in reversed(list(enumerate(molecules.flat)))}.values())
    chosen = np.array(sorted(first)[:MOST], dtype=np.int64)
    found = dict(zip(DESCRIPTORS, molecules.descriptors[chosen].T, strict=True))
    columns = [found.pop("BertzCT"), molecules.column("logp")[chosen]]
    columns += [molecules.column("weight")[chosen], found.pop("TPSA"), *found.values()]
    columns.append(nearest(molecules.bits[chosen], device=device))
    return Profile(np.nan_to_num(np.stack(columns, axis=1)))


def kl_score(ours: Profile, training: Profile) -> Interval:
    """Between 0 and 1, the latter for equal distributions; NaN for fewer than two molecules."""
    if min(len(ours), len(training)) < 2:
        return Interval(math.nan, math.nan, math.nan)
    total, influence = 0.0, np.zeros(len(ours))
    count = ours.columns.shape[1]
    for k in range(count):
        smooth = k < _CONTINUOUS or k == count - 1
        compare = _smooth_divergence if smooth else _binned_divergence
        divergence, slope = compare(training.columns[:, k], ours.columns[:, k])
        total += math.exp(-divergence) / count
        influence -= math.exp(-divergence) / count * slope
    return from_influence(total, influence, most=1.0)


def _smooth_divergence(
    p: NDArray[np.float64], q: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """KL of two Gaussian kernel estimates with Scott's bandwidth on a grid; its influence on q."""
    widths = [np.std(x, ddof=1) * len(x) ** -0.2 for x in (p, q)]
    if min(widths) == 0 or not np.isfinite(widths).all():
        same = p.min() == p.max() == q.min() == q.max()
        return (0.0 if same else math.inf), np.zeros(len(q))
    grid = np.linspace(min(p.min(), q.min()), max(p.max(), q.max()), _GRID)
    dense_p = _kernels(p, grid, widths[0], np.ones(_GRID))[0] + _TINY
    dense_q = _kernels(q, grid, widths[1], np.ones(_GRID))[0] + _TINY
    share_p = dense_p / dense_p.sum()
    share_q = dense_q / dense_q.sum()
    value = float((share_p * np.log(share_p / share_q)).sum())
    slope = (1 - share_p / share_q) / dense_q.sum()
    return value, _kernels(q, grid, widths[1], slope)[1]


def _kernels(
    values: NDArray[np.float64],
    grid: NDArray[np.float64],
    width: float,
    weights: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean kernel at each grid point, and each value's kernel summed with the points' weights."""
    density, weighted = np.zeros(len(grid)), np.empty(len(values))
    for k in range(0, len(values), 1000):
        part = values[k : k + 1000]
        kernel = np.exp(-0.5 * ((part[:, None] - grid) / width) ** 2)
        kernel /= width * math.sqrt(2 * math.pi)
        density += kernel.sum(axis=0)
        weighted[k : k + 1000] = kernel @ weights
    return density / len(values), weighted


def _binned_divergence(
    p: NDArray[np.float64], q: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """KL of histograms in ten bins of p's range; and its influence on q."""
    counts, edges = np.histogram(p, bins=_BINS)
    width = edges[1] - edges[0]
    dense_p = counts / counts.sum() / width + _TINY
    inside = (q >= edges[0]) & (q <= edges[-1])
    if not inside.any():
        return math.inf, np.zeros(len(q))
    found = np.histogram(q, bins=edges)[0]
    dense_q = found / found.sum() / width + _TINY
    share_p, share_q = dense_p / dense_p.sum(), dense_q / dense_q.sum()
    value = float((share_p * np.log(share_p / share_q)).sum())
    slope = np.where(inside, -(share_p / share_q)[_bin(q, edges)] * len(q) / inside.sum(), 0.0)
    return value, np.where(inside, slope - slope[inside].mean(), 0.0)


def _bin(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
