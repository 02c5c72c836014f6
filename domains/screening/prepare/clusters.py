"""Clusters of similar molecules (Butina 1999, J. Chem. Inf. Comput. Sci. 39:747)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIMILAR = 0.4  # Tanimoto similarity at which two molecules are neighbours


def butina(bits: NDArray[np.uint8], similar: float = SIMILAR) -> NDArray[np.int64]:
    """(n,) number of each molecule's cluster, the largest first.

    Molecules in the order of their number of neighbours take all neighbours that are still free;
    of equally many the last is first, as in RDKit.

    Args:
        bits: (n, bytes) packed fingerprints.
        similar: lowest similarity of neighbours.
    """
    neighbours = _neighbours(bits, similar)
    sizes = np.array([len(some) for some in neighbours], dtype=np.int64)
    clusters = np.full(len(bits), -1)
    number = 0
    for k in np.lexsort((np.arange(len(bits)), sizes))[::-1]:
        if clusters[k] < 0:
            near = neighbours[k]
            clusters[near[clusters[near] < 0]] = number
            number += 1
    return clusters


def _neighbours(bits: NDArray[np.uint8], similar: float) -> list[NDArray[np.int64]]:
    """Of each molecule those at least so similar, itself among them."""
    words = np.ascontiguousarray(bits).view(np.uint64)
    sizes = np.bitwise_count(words).sum(axis=1, dtype=np.int32)
    found = []
    for row, size in zip(words, sizes, strict=True):
        common = np.bitwise_count(words & row).sum(axis=1, dtype=np.int32)
        # No quotient: two empty fingerprints are alike.
        found.append(np.flatnonzero(common >= similar * (sizes + size - common)))
    return found
