"""All that is measured of one molecule, from one parse of its SMILES."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase
from rdkit.Chem import Descriptors, Mol
from rdkit.Chem.Scaffolds import MurckoScaffold

from pipelines.chemistry.fingerprints import packed, stacked
from pipelines.chemistry.properties import NAMES, properties_of_mols
from pipelines.core.parallel import in_parallel

from .filters import passes_filters

BITS = 4096  # Morgan, radius 2: as GuacaMol has it; folded to 1024 as MOSES has it
PARTS = ("quality", "structure", "descriptors", "filters")  # qed and sa; fragments and scaffold
DESCRIPTORS = (
    "BertzCT",
    "TPSA",
    "NumHAcceptors",
    "NumHDonors",
    "NumRotatableBonds",
    "NumAliphaticRings",
    "NumAromaticRings",
)


class Row(NamedTuple):
    """Of one valid molecule.

    canonical, flat: SMILES with and without stereochemistry; bits: the packed fingerprint;
    properties: qed, logp, weight, sa; descriptors: as DESCRIPTORS; fragments: SMILES of the BRICS
    fragments, joined by dots; scaffold: SMILES of the Bemis-Murcko scaffold, "" below two rings;
    passes: all filters of MOSES.
    """

    canonical: str
    flat: str
    bits: bytes
    properties: tuple[float, ...]
    descriptors: tuple[float, ...]
    fragments: str
    scaffold: str
    passes: bool


@dataclass(frozen=True)
class Molecules:
    """The valid ones of a set in their order, n of them (duplicates stay), of `drawn`.

    canonical, flat, fragments, scaffold: lists of n texts; bits: (n, BITS / 8) uint8; properties:
    (n, 4); descriptors: (n, 7); passes: (n,) bool.
    """

    drawn: int
    canonical: list[str]
    flat: list[str]
    bits: NDArray[np.uint8]
    properties: NDArray[np.float64]
    descriptors: NDArray[np.float64]
    fragments: list[str]
    scaffold: list[str]
    passes: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.canonical)

    def column(self, name: str) -> NDArray[np.float64]:
        """One of qed, logp, weight, sa."""
        return self.properties[:, NAMES.index(name)]

    @property
    def folded(self) -> NDArray[np.uint8]:
        """(n, 128) the fingerprint in 1024 bits."""
        return np.bitwise_or.reduce(self.bits.reshape(len(self), 4, BITS // 32), axis=1)


def describe(
    sets: dict[str, list[str]], alerts: Sequence[str] = (), parts: Collection[str] = PARTS
) -> dict[str, Molecules]:
    """Each set's molecules; what occurs twice, in one or in several sets, is computed once.

    Args:
        sets: SMILES by the set's name; an empty one is invalid.
        alerts: SMARTS that no molecule may match, hydrogens explicit.
        parts: of PARTS, what is computed beside canonical SMILES, fingerprint, logp and weight;
            what is not is NaN, "" or False.
    """
    texts = list(dict.fromkeys(text for smiles in sets.values() for text in smiles))
    found = in_parallel(partial(_describe, alerts=tuple(alerts), parts=frozenset(parts)), texts)
    rows = dict(zip(texts, found, strict=True))
    return {name: _gather(len(smiles), [rows[s] for s in smiles]) for name, smiles in sets.items()}


def _gather(drawn: int, found: list[Row | None]) -> Molecules:
    rows = [row for row in found if row is not None]
    properties = np.array([row.properties for row in rows], np.float64)
    descriptors = np.array([row.descriptors for row in rows], np.float64)
    return Molecules(
        drawn=drawn,
        canonical=[row.canonical for row in rows],
        flat=[row.flat for row in rows],
        bits=stacked([row.bits for row in rows], BITS),
        properties=properties.reshape(-1, len(NAMES)),
        descriptors=descriptors.reshape(-1, len(DESCRIPTORS)),
        fragments=[row.fragments for row in rows],
        scaffold=[row.scaffold for row in rows],
        passes=np.array([row.passes for row in rows], bool),
    )


def _describe(
    texts: Sequence[str], alerts: tuple[str, ...], parts: frozenset[str]
) -> list[Row | None]:
    with rdBase.BlockLogs():
        mols = [Chem.MolFromSmiles(text) for text in texts]
        valid = [k for k, mol in enumerate(mols) if mol is not None and mol.GetNumAtoms()]
        found: list[Row | None] = [None] * len(texts)
        for k, row in zip(valid, _rows([mols[k] for k in valid], alerts, parts), strict=True):
            found[k] = row
        return found


def _rows(mols: list[Mol], alerts: tuple[str, ...], parts: frozenset[str]) -> list[Row]:
    """One measure after another, each of all molecules, for the reason in `properties`."""
    canonical = [Chem.MolToSmiles(mol) for mol in mols]
    described: list[tuple[float, ...]] = [_NONE] * len(mols)
    if "descriptors" in parts:
        described = list(zip(*[[f(mol) for mol in mols] for f in _FUNCTIONS], strict=True))
    structure, filters = "structure" in parts, "filters" in parts
    columns = (
        canonical,
        [_flat(mol, text) for mol, text in zip(mols, canonical, strict=True)],
        [packed(mol, BITS) for mol in mols],
        properties_of_mols(mols, NAMES if "quality" in parts else ()),
        described,
        [fragments(mol) if structure else "" for mol in mols],
        [scaffold(mol) if structure else "" for mol in mols],
        [filters and passes_filters(mol, alerts) for mol in mols],
    )
    return list(map(Row, *columns))


def _flat(mol: Mol, canonical: str) -> str:
    stereo = any(sign in canonical for sign in "@/\\")
    return Chem.MolToSmiles(mol, isomericSmiles=False) if stereo else canonical


def fragments(mol: Mol) -> str:
    """SMILES of the BRICS fragments (Degen et al. 2008), joined by dots."""
    return Chem.MolToSmiles(Chem.FragmentOnBRICSBonds(mol))


def scaffold(mol: Mol) -> str:
    """SMILES of the Bemis-Murcko scaffold; "" below two rings, or where none is found."""
    try:
        core = MurckoScaffold.GetScaffoldForMol(mol)
    except (ValueError, RuntimeError):
        return ""
    return Chem.MolToSmiles(core) if core.GetRingInfo().NumRings() >= 2 else ""


_FUNCTIONS = [getattr(Descriptors, name) for name in DESCRIPTORS]
_NONE = (float("nan"),) * len(DESCRIPTORS)
