"""The medicinal chemistry filters of MOSES (Polykovskiy et al. 2020, section "Metrics").

No ring of 8 atoms or more, no charge, no elements but C, N, S, O, F, Cl, Br and H, and none of 502
structural alerts, which are SMARTS for molecules with explicit hydrogens.

Hydrogens double a molecule's atoms, so that most alerts are looked for without them: RDKit turns
an alert's hydrogens into conditions on their neighbours. And an alert is only looked for where its
pattern fingerprint, whose bits a molecule that matches must have, is contained in the molecule's.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, DataStructs
from rdkit.Chem import Mol

RING = 8  # atoms: the smallest ring that is refused
_REFUSED = Chem.MolFromSmarts("[!+0,!#1&!#6&!#7&!#8&!#9&!#16&!#17&!#35]")
_PROBES = ("[H]C", "[H]N", "[H]O", "[H]S", "[H]Cl", "[H]c1ccccc1", "[H]n1cccc1")
_DEGREE = re.compile("[Ddh]")  # counts of explicit neighbours, or of implicit hydrogens only
# In a recursion, where atoms cannot be tried out: what may match a hydrogen.
_MAYBE_LIGHT = re.compile(r"[*A]|(?<!!)#1(?!\d)|!#(?!1(?!\d)|6&!#1(?!\d))|!(?![#HRrX@])")


class Alert(NamedTuple):
    """plain: the pattern for molecules without hydrogens, None if there is none; full: with."""

    plain: Mol | None
    full: Mol


def passes_filters(mol: Mol, alerts: tuple[str, ...]) -> bool:
    """Whether a molecule with implicit hydrogens passes all filters, these SMARTS among them."""
    if any(len(ring) >= RING for ring in mol.GetRingInfo().AtomRings()):
        return False
    if mol.HasSubstructMatch(_REFUSED):
        return False
    patterns, needed = read_alerts(alerts)
    possible = np.flatnonzero(~(needed & ~pattern_words(mol)).any(axis=1)).tolist()
    if any(mol.HasSubstructMatch(p) for k in possible if (p := patterns[k].plain) is not None):
        return False
    full = Chem.AddHs(mol)
    return not any(
        full.HasSubstructMatch(patterns[k].full) for k in possible if patterns[k].plain is None
    )


@lru_cache(maxsize=2)
def read_alerts(smarts: tuple[str, ...]) -> tuple[list[Alert], NDArray[np.uint64]]:
    """Both forms of each alert, and (alerts, 32) the bits that a matching molecule has."""
    found = [_read(text) for text in smarts]
    words = np.array([bits for _, bits in found], np.uint64)
    return [alert for alert, _ in found], words.reshape(len(found), -1)


def _read(smarts: str) -> tuple[Alert, NDArray[np.uint64]]:
    full = Chem.MolFromSmarts(smarts)
    merged = Chem.MergeQueryHs(full)
    heavy = not any(_matches_hydrogen(atom) for atom in merged.GetAtoms())
    text = Chem.MolToSmarts(merged)
    plain = heavy and not _DEGREE.search(text) and not ("$" in text and _MAYBE_LIGHT.search(text))
    rest = Chem.RWMol(full)  # what is left without hydrogens has to be in the molecule without
    for k in sorted((a.GetIdx() for a in full.GetAtoms() if _matches_hydrogen(a)), reverse=True):
        rest.RemoveAtom(k)
    return Alert(merged if plain else None, full), pattern_words(rest)


def _matches_hydrogen(atom: Chem.Atom) -> bool:
    return any(atom.Match(probe) for probe in _hydrogens())


@lru_cache(maxsize=1)
def _hydrogens() -> list[Chem.Atom]:
    """One of each neighbourhood that a pattern may ask for."""
    keep = Chem.SmilesParserParams()
    keep.removeHs = False
    mols = [Chem.MolFromSmiles(text, keep) for text in _PROBES]
    return [mol.GetAtomWithIdx(0) for mol in mols]


def pattern_words(mol: Mol) -> NDArray[np.uint64]:
    """(32,) the pattern fingerprint."""
    return np.frombuffer(DataStructs.BitVectToBinaryText(Chem.PatternFingerprint(mol)), np.uint64)
