"""How similar molecules are to those known: Tanimoto coefficients of Morgan bits, radius 2."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.chemistry.nearest import neighbours
from pipelines.training.precision import computing_device

from ..prepare.arrays import Which, read_counts

Bits = NDArray[np.uint8]


def bits_of(counts: NDArray[np.uint8]) -> Bits:
    """(n, 2048) counts as (n, 256) packed bits: there, or not."""
    return np.packbits(counts > 0, axis=1)


def read_bits(folder: Path, which: Which) -> Bits:
    """Of all molecules, or of the library."""
    return bits_of(read_counts(folder, which))


def similarity(bits: Bits, known: Bits) -> NDArray[np.float64]:
    """(n,) similarity to the most similar of the known ones."""
    return nearest(bits, known)[0]


def nearest(bits: Bits, known: Bits) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(n,) similarity to the most similar of the known ones, and which it is."""
    return neighbours(bits, known, computing_device())
