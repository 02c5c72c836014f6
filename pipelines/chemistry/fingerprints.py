"""Morgan fingerprints of radius 2 (Rogers and Hahn 2010), folded: bits, packed, and counts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from rdkit.Chem import Mol
from rdkit.Chem.rdFingerprintGenerator import FingerprintGenerator64, GetMorganGenerator
from rdkit.DataStructs import BitVectToBinaryText


@cache
def morgan(size: int) -> FingerprintGenerator64:
    """RDKit's generator of fingerprints folded to so many bits."""
    return GetMorganGenerator(radius=2, fpSize=size)


def packed(mol: Mol, size: int) -> bytes:
    """size / 8 bytes, the bits of one molecule, eight to a byte from the lowest."""
    return BitVectToBinaryText(morgan(size).GetFingerprint(mol))


def stacked(rows: Sequence[bytes], size: int) -> NDArray[np.uint8]:
    """(n, size / 8) packed bits of n molecules."""
    return np.frombuffer(b"".join(rows), np.uint8).reshape(-1, size // 8)
