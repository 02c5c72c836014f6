"""The Fréchet distance between two sets of molecules, each taken for a Gaussian.

Preuer et al. 2018, J. Chem. Inf. Model. 58:1736; after Heusel et al. 2017, arXiv 1706.08500.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Gaussian:
    """mean (d,) and covariance (d, d), unbiased, float64, of n molecules."""

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    n: int


def gaussian(activations: NDArray[np.floating]) -> Gaussian:
    """The Gaussian with mean and covariance of the rows (n, d); NaN covariance for n < 2."""
    n = len(activations)
    values = np.asarray(activations, dtype=np.float64)
    mean = values.mean(axis=0) if n else np.full(values.shape[1], np.nan)
    centred = values - mean
    covariance = centred.T @ centred / (n - 1) if n > 1 else np.full((len(mean),) * 2, np.nan)
    return Gaussian(mean, covariance, n)


def frechet(a: Gaussian, b: Gaussian) -> float:
    """|μa − μb|² + tr Σa + tr Σb − 2 tr (Σa Σb)^½, the squared distance; NaN if either has none.

    With Σ = R Rᵀ the last trace is the sum of the singular values of Raᵀ Rb: no matrix square root
    of a product that is not symmetric and nearly singular, and never a complex number.
    """
    if min(a.n, b.n) < 2:
        return float("nan")
    shift = a.mean - b.mean
    overlap = np.linalg.svd(root(a.covariance).T @ root(b.covariance), compute_uv=False).sum()
    traces = np.trace(a.covariance) + np.trace(b.covariance)
    return float(max(shift @ shift + traces - 2 * overlap, 0.0))


def fcd(ours: NDArray[np.floating], theirs: NDArray[np.floating] | Gaussian) -> float:
    """Fréchet ChemNet distance of activations (n, 512) to others, or to their Gaussian."""
    return frechet(gaussian(ours), theirs if isinstance(theirs, Gaussian) else gaussian(theirs))


def root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """R with R Rᵀ = covariance; rounding may have made small eigenvalues negative: those are 0."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.clip(values, 0, None))
