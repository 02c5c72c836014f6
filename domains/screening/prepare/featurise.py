"""SMILES as graphs, as counts of substructures and as descriptors.

RDKit is asked for each property of each atom and bond once; categories are then made of whole
arrays. What few molecules have, stereochemistry, is asked only where the SMILES shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import Atom, Bond, Mol
from rdkit.Chem.rdchem import BondStereo

from pipelines.chemistry.fingerprints import morgan
from pipelines.chemistry.standardise import atoms_of

from .arrays import Graphs
from .features import ELEMENTS

COUNTS = 2048  # Morgan, radius 2, folded

_OF_ATOM = (
    Atom.GetAtomicNum,
    Atom.GetDegree,
    Atom.GetFormalCharge,
    Atom.GetTotalNumHs,
    Atom.GetHybridization,
    Atom.GetIsAromatic,
)
_OF_BOND = (
    Bond.GetBeginAtomIdx,
    Bond.GetEndAtomIdx,
    Bond.GetBondTypeAsDouble,
    Bond.GetIsConjugated,
)


def parsed(smiles: Iterable[str]) -> list[Mol]:
    """Molecules of standardised SMILES; ValueError for one that cannot be read."""
    with rdBase.BlockLogs():
        mols = [Chem.MolFromSmiles(text) for text in smiles]
    if None in mols:
        raise ValueError(f"molecule {mols.index(None)} is no SMILES; standardise it first")
    return mols


def featurise(smiles: Sequence[str]) -> Graphs:
    """Graphs of n standardised SMILES, atoms in the order in which these name them.

    Raises:
        ValueError: a SMILES that cannot be read.
    """
    atoms: list[list[Any]] = [[] for _ in (*_OF_ATOM, "ring", "chirality")]
    bonds: list[list[Any]] = [[] for _ in (*_OF_BOND, "ring", "stereo")]
    sizes = []
    for text, mol in zip(smiles, parsed(smiles), strict=True):
        rings, own_atoms = mol.GetRingInfo(), atoms_of(mol)
        own_bonds = list(map(mol.GetBondWithIdx, range(mol.GetNumBonds())))
        for column, ask in zip(atoms, _OF_ATOM, strict=False):
            column += map(ask, own_atoms)
        for column, ask in zip(bonds, _OF_BOND, strict=False):
            column += map(ask, own_bonds)
        atoms[-2] += _smallest(rings.AtomRings(), len(own_atoms))
        bonds[-2] += _smallest(rings.BondRings(), len(own_bonds))
        atoms[-1] += map(_chirality, own_atoms) if "@" in text else [1] * len(own_atoms)
        double = "/" in text or "\\" in text
        bonds[-1] += map(_stereo, own_bonds) if double else [1] * len(own_bonds)
        sizes.append((len(own_atoms), len(own_bonds)))
    begin, end, order, *others = (np.array(column, dtype=np.float64) for column in bonds)
    offsets = np.zeros((len(sizes) + 1, 2), dtype=np.int64)
    np.cumsum(np.reshape(sizes, (-1, 2)), axis=0, out=offsets[1:])
    return Graphs(
        atoms=_atom_codes(*(np.array(column, dtype=np.int64) for column in atoms)),
        bonds=_bond_codes(order, *others),
        ends=np.stack([begin, end], axis=1).astype(np.int32),
        atom_offsets=offsets[:, 0].copy(),
        bond_offsets=offsets[:, 1].copy(),
    )


def counts(smiles: Sequence[str]) -> NDArray[np.uint8]:
    """(n, 2048) how often each substructure of radius 2 is there, at most 255 times."""
    ask = morgan(COUNTS).GetCountFingerprintAsNumPy
    found = np.zeros((len(smiles), COUNTS), dtype=np.uint8)
    for row, mol in zip(found, parsed(smiles), strict=True):
        row[:] = np.minimum(ask(mol), 255)
    return found


def _atom_codes(*asked: NDArray[np.int64]) -> NDArray[np.uint8]:
    """(A, 8), see `features.ATOMS`."""
    number, neighbours, charge, hydrogens, hybridisation, aromatic, ring, chirality = asked
    columns = (
        _ELEMENT[number],
        np.minimum(neighbours, 5) + 1,
        _CHARGE[np.clip(charge, -2, 2) + 2],
        np.minimum(hydrogens, 4) + 1,
        _HYBRIDISATION[hybridisation],
        aromatic + 1,
        np.clip(ring, 2, 8) - 1,
        chirality,
    )
    return np.stack(columns, axis=1).astype(np.uint8)


def _bond_codes(*asked: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(B, 4), see `features.BONDS`."""
    order, conjugated, ring, stereo = asked
    columns = (_ORDER[(2 * order).astype(int)], conjugated + 1, (ring > 0) + 1, stereo)
    return np.stack(columns, axis=1).astype(np.uint8)


def _smallest(rings: Iterable[Sequence[int]], count: int) -> list[int]:
    """Size of the smallest ring that each of so many atoms or bonds is in, 0 without."""
    sizes = [0] * count
    for ring in sorted(rings, key=len, reverse=True):
        for member in ring:
            sizes[member] = len(ring)
    return sizes


def _chirality(atom: Atom) -> int:
    code = atom.GetProp("_CIPCode") if atom.HasProp("_CIPCode") else ""
    return {"R": 2, "S": 3}.get(code, 1)


def _stereo(bond: Bond) -> int:
    return _STEREO.get(bond.GetStereo(), 1)


_ELEMENT = np.full(128, len(ELEMENTS) + 1)  # by atomic number
for _code, _symbol in enumerate(ELEMENTS, 1):
    _ELEMENT[Chem.GetPeriodicTable().GetAtomicNumber(_symbol)] = _code
_CHARGE = np.array([5, 3, 1, 2, 4])  # of −2 … 2
_HYBRIDISATION = np.array([1, 1, 2, 3, 4, 5, 5, 5, 5])  # by RDKit's number
_ORDER = np.full(32, 5)  # by twice the order
_ORDER[[2, 4, 6, 3]] = 1, 2, 3, 4
_STEREO = {BondStereo.STEREOZ: 2, BondStereo.STEREOE: 3}
