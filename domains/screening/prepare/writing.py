"""Writing the tables and arrays that later stages read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.core.artifacts import write_csv
from pipelines.core.parallel import by_chunk

from .arrays import Graphs, Target, joined, write_graphs, write_targets
from .descriptors import NAMES, descriptors
from .featurise import counts, featurise

_CHUNK = 500  # molecules that a process works on at a time


class Described(NamedTuple):
    """Molecules: graphs, (n, 2048) uint8 counts and (n, D) float32 descriptors."""

    graphs: Graphs
    counts: NDArray[np.uint8]
    descriptors: NDArray[np.float32]


def write_data(
    out: Path, molecules: pd.DataFrame, targets: Sequence[Target], library: pd.DataFrame
) -> None:
    """Write everything but the card and the preview; the tables have the columns of their files."""
    write_csv(out / "molecules.csv", molecules)
    write_csv(out / "library.csv", library)
    write_targets(out, targets)
    ours = describe(molecules["smiles"].tolist())
    theirs = describe(library.loc[library["reason"] == "", "smiles"].tolist())
    write_graphs(out / "graphs.npz", ours.graphs)
    write_graphs(out / "library.npz", theirs.graphs)
    np.savez_compressed(out / "fingerprints.npz", molecules=ours.counts, library=theirs.counts)
    np.savez(
        out / "descriptors.npz",
        molecules=ours.descriptors,
        library=theirs.descriptors,
        names=np.array(NAMES),
    )


def describe(smiles: Sequence[str]) -> Described:
    """Of n standardised SMILES."""
    parts = [part for _, part in by_chunk(_described, smiles, _CHUNK)] or [_described([])]
    graphs, bits, numbers = zip(*parts, strict=True)
    return Described(joined(graphs), np.concatenate(bits), np.concatenate(numbers))


def _described(smiles: Sequence[str]) -> Described:
    return Described(featurise(smiles), counts(smiles), descriptors(smiles))
