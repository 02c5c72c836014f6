"""How far one set of molecules is from another; each with its influence function."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.statistics.bootstrap import Interval

from ..prepare.frechet import Gaussian, frechet, gaussian, root
from .intervals import from_influence

_NONE = Interval(math.nan, math.nan, math.nan)


def count_parts(parts: Iterable[str]) -> dict[str, int]:
    """How often each fragment (of texts joined by dots) or scaffold occurs; "" is none."""
    counts = Counter(part for text in parts for part in text.split("."))
    counts.pop("", None)
    return dict(sorted(counts.items()))


def cosine(texts: Sequence[str], reference: Mapping[str, int]) -> Interval:
    """Cosine of the counts of parts in n molecules with those of a reference, in float64.

    MOSES' `Frag` and `Scaf`; with integers, as there, the sums overflow for large sets.
    """
    ours = count_parts(texts)
    if not ours or not reference:
        return _NONE
    dot = math.fsum(float(count) * reference.get(part, 0) for part, count in ours.items())
    length = math.sqrt(math.fsum(float(c) ** 2 for c in ours.values()))
    other = math.sqrt(math.fsum(float(c) ** 2 for c in reference.values()))
    value = dot / (length * other)
    slope = {
        part: reference.get(part, 0) / (length * other) - value * count / length**2
        for part, count in ours.items()
    }
    influence = [sum(slope[p] for p in text.split(".") if p) for text in texts]
    return from_influence(value, len(texts) * np.array(influence), most=1.0)


def wasserstein(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> Interval:
    """First Wasserstein distance of two samples, ∫ |F − G|, in the property's unit."""
    if not len(ours) or not len(theirs):
        return _NONE
    ours, theirs = np.sort(ours), np.sort(theirs)
    points = np.sort(np.concatenate([ours, theirs]))
    widths = np.diff(points)
    f = np.searchsorted(ours, points[:-1], side="right") / len(ours)
    g = np.searchsorted(theirs, points[:-1], side="right") / len(theirs)
    value = float(np.abs(f - g) @ widths)
    # A molecule at x raises F everywhere from x on: it matters as ∫ sign(F − G) from there.
    onwards = np.append(np.cumsum((np.sign(f - g) * widths)[::-1])[::-1], 0.0)
    return from_influence(value, onwards[np.searchsorted(points, ours)])


def frechet_distance(activations: NDArray[np.floating], reference: Gaussian) -> Interval:
    """Fréchet distance of the n rows of activations (n, d) to a reference, d ChemNet's 512.

    The derivative of tr (Σ Σ')^½ by Σ is ½ R (Rᵀ Σ R)^−½ Rᵀ with R Rᵀ = Σ'. The interval is of the
    molecules' chance alone: the value's own bias, large where n is small, is what the row of
    training molecules shows.
    """
    ours = gaussian(activations)
    value = frechet(ours, reference)
    if not math.isfinite(value):
        return _NONE
    side = root(reference.covariance)
    scales, vectors = np.linalg.eigh(side.T @ ours.covariance @ side)
    kept = scales > 1e-10 * scales[-1]
    turned = side @ vectors[:, kept] / scales[kept] ** 0.25
    centred = activations - ours.mean
    influence = (centred**2).sum(axis=1) - ((centred @ turned) ** 2).sum(axis=1)
    influence += 2 * centred @ (ours.mean - reference.mean)
    return from_influence(value, influence)
