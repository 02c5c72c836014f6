"""What a chemist sees in a molecule: counts of its substructures and a few descriptors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import Mol
from rdkit.Chem.rdMolDescriptors import Properties

from pipelines.chemistry.fingerprints import morgan

COUNTS = 1024  # Morgan counts, radius 2 (Rogers and Hahn 2010), folded
# Names as RDKit's. Chosen because they are quick: all together as long as parsing the SMILES.
DESCRIPTORS = (
    "exactmw", "NumHeavyAtoms", "NumHeteroatoms", "lipinskiHBA", "lipinskiHBD", "NumRings",
    "NumAromaticRings", "NumSaturatedRings", "NumHeterocycles", "NumAromaticHeterocycles",
    "FractionCSP3", "NumSpiroAtoms", "labuteASA",
)  # fmt: skip
SEEN = COUNTS + len(DESCRIPTORS) + 1


def parse(smiles: Sequence[str]) -> list[Mol | None]:
    """Molecules; None for what is no valid SMILES or empty."""
    with rdBase.BlockLogs():
        return [Chem.MolFromSmiles(text) if text else None for text in smiles]


def look_at(mols: Sequence[Mol | None]) -> NDArray[np.float32]:
    """(n, SEEN): log(1 + count) of each substructure, descriptors, and 1 for no molecule.

    Descriptors are divided by round numbers, so that all are of the order of one; a row of no
    molecule is 0 but for its last number.
    """
    fingerprints, describe = morgan(COUNTS), Properties(DESCRIPTORS)
    seen = np.zeros((len(mols), SEEN), dtype=np.float32)
    for row, mol in zip(seen, mols, strict=True):
        if mol is None:
            row[-1] = 1
        else:
            row[:COUNTS] = np.log1p(fingerprints.GetCountFingerprintAsNumPy(mol))
            row[COUNTS:-1] = list(describe.ComputeProperties(mol))
    seen[:, COUNTS:-1] /= _SCALE
    return seen


_SCALE = np.array([100, 10, 5, 5, 2, 2, 2, 2, 2, 2, 0.5, 1, 50], dtype=np.float32)
