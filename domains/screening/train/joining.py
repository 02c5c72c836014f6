"""What the readout is given beside the graph."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..prepare.arrays import Which, read_counts, read_descriptors, read_graphs
from ..prepare.descriptors import descriptors
from ..prepare.featurise import counts


def read_joined(folder: Path, which: Which, join: str) -> NDArray[np.generic]:
    """(n, J), of all molecules or of the library: what the parameter `join` says."""
    if join == "descriptors":
        return read_descriptors(folder, which)
    if join == "fingerprints":
        return read_counts(folder, which)
    count = len(read_graphs(folder, "library" if which == "library" else "graphs"))
    return np.zeros((count, 0), dtype=np.uint8)


def joined_of(smiles: Sequence[str], join: str) -> NDArray[np.generic]:
    """(n, J) of n standardised SMILES."""
    if join == "descriptors":
        return descriptors(smiles)
    if join == "fingerprints":
        return counts(smiles)
    return np.zeros((len(smiles), 0), dtype=np.uint8)
