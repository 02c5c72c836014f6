"""Molecules of different sizes in flat arrays: the domain's common representation.

Atoms of all molecules follow one another, and so do bonds; offsets hold where each molecule starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.core.artifacts import read_arrays, read_csv, read_json, write_json

SPLITS = ("train", "validation", "test")
Which = Literal["molecules", "library"]


@dataclass(frozen=True)
class Target:
    """What was measured.

    name: its column; kind: class (0 or 1) or value (a number); unit: of a value; positive: what 1
    of a class means; better: which end is wanted in a ranking.
    """

    name: str
    kind: Literal["class", "value"]
    unit: str = ""
    positive: str = ""
    better: Literal["high", "low"] = "high"


@dataclass(frozen=True)
class Graphs:
    """n molecules.

    atoms: (A, 8) uint8 codes of `features.ATOMS`; bonds: (B, 4) uint8 codes of `features.BONDS`,
    each bond once; ends: (B, 2) int32, the atoms that a bond joins, counted within the molecule;
    atom_offsets, bond_offsets: (n + 1,) int64, where each molecule starts.
    """

    atoms: NDArray[np.uint8]
    bonds: NDArray[np.uint8]
    ends: NDArray[np.int32]
    atom_offsets: NDArray[np.int64]
    bond_offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.atom_offsets) - 1

    def take(self, indices: Sequence[int] | NDArray[np.integer]) -> Graphs:
        """These molecules, in this order."""
        chosen = np.asarray(indices, dtype=np.int64)
        atoms, atom_offsets = _rows(self.atom_offsets, chosen)
        bonds, bond_offsets = _rows(self.bond_offsets, chosen)
        return Graphs(
            self.atoms[atoms], self.bonds[bonds], self.ends[bonds], atom_offsets, bond_offsets
        )


def _rows(
    offsets: NDArray[np.int64], chosen: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the chosen molecules one after another, and where each of these then starts."""
    starts, counts = offsets[chosen], offsets[chosen + 1] - offsets[chosen]
    new = np.zeros(len(chosen) + 1, dtype=np.int64)
    np.cumsum(counts, out=new[1:])
    return np.arange(new[-1]) + np.repeat(starts - new[:-1], counts), new


def joined(parts: Sequence[Graphs]) -> Graphs:
    """The molecules of at least one part after another."""
    return Graphs(
        np.concatenate([part.atoms for part in parts]),
        np.concatenate([part.bonds for part in parts]),
        np.concatenate([part.ends for part in parts]),
        _ends_to_end([part.atom_offsets for part in parts]),
        _ends_to_end([part.bond_offsets for part in parts]),
    )


def _ends_to_end(offsets: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.concatenate([np.diff(some) for some in offsets]))])


def write_graphs(path: Path, graphs: Graphs) -> None:
    """Write the arrays into one .npz file."""
    np.savez(path, **vars(graphs))


def read_graphs(folder: Path, which: Literal["graphs", "library"]) -> Graphs:
    """The molecules (`graphs`) or the usable rows of the library."""
    names = [field.name for field in fields(Graphs)]
    return Graphs(**read_arrays(folder / f"{which}.npz", *names))


def read_molecules(folder: Path, splits: Sequence[str] | None = None) -> pd.DataFrame:
    """molecules.csv, whose row k is molecule k of every array; of these splits if any are given,
    with the row's number as index.
    """
    table = _texts(read_csv(folder / "molecules.csv", text=("smiles", "scaffold", "group")))
    return table if splits is None else table[table["split"].isin(splits)]


def read_library(folder: Path) -> pd.DataFrame:
    """library.csv; its rows without a `reason` are the molecules of the library's arrays."""
    return _texts(read_csv(folder / "library.csv", text=("name", "given", "smiles", "reason")))


def read_targets(folder: Path) -> list[Target]:
    """What was measured, in the order of the columns."""
    return [Target(**one) for one in read_json(folder / "targets.json")]


def write_targets(folder: Path, targets: Sequence[Target]) -> None:
    """Write targets.json."""
    write_json(folder / "targets.json", [asdict(target) for target in targets])


def read_counts(folder: Path, which: Which) -> NDArray[np.uint8]:
    """(n, 2048) how often each substructure of radius 2 is there (Morgan, folded; at most 255)."""
    return read_arrays(folder / "fingerprints.npz", which)[which]


def read_descriptors(folder: Path, which: Which) -> NDArray[np.float32]:
    """(n, D) RDKit's descriptors, NaN where one cannot be computed; `names` in the same file."""
    return read_arrays(folder / "descriptors.npz", which)[which]


def _texts(table: pd.DataFrame) -> pd.DataFrame:
    """An empty text is "", not a missing value."""
    texts = [name for name in ("scaffold", "name", "given", "smiles", "reason") if name in table]
    return table.assign(**{name: table[name].fillna("") for name in texts})
