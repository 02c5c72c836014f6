"""Groups of atoms of which it is known what they do, to hold the network's answers against.

For: what known classes of antibiotics act by. Against: polar and charged groups, which keep
molecules out of the brain (Pajouhesh and Lenz 2005, doi 10.1602/neurorx.2.4.541).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from rdkit import Chem


class Group(NamedTuple):
    """A substructure and whether it speaks for (1) or against (−1) a high score."""

    name: str
    smarts: str
    sign: int


_ANTIBIOTICS = (
    Group("beta-lactam", "O=C1[#6][#6]N1", 1),
    Group("quinolone", "O=c1ccnc2[c,n]c[c,n]cc12", 1),
    Group("sulfonamide", "[NX3;!$(N=*)]S(=O)(=O)c1ccc([NX3])cc1", 1),
    Group("nitro-heterocycle", "[O-][N+](=O)c1[c,n,o,s][c,n,o,s][c,n,o,s][c,n,o,s]1", 1),
)
_POLAR = (
    Group("carboxylic acid", "C(=O)[OX2H1]", -1),
    Group("hydroxyl", "[CX4][OX2H1]", -1),
    Group("amide N–H", "C(=O)[NX3;H1,H2]", -1),
    Group("sulfonyl", "S(=O)(=O)", -1),
    Group("phosphate", "P(=O)[OX2H1]", -1),
    Group("quaternary nitrogen", "[N+;X4]", -1),
)
_OF_TITLE = {
    "Growth inhibition of E. coli": _ANTIBIOTICS,
    "Blood-brain barrier": _POLAR,
    "Brain-to-blood ratio": _POLAR,
}


def known_groups(title: str) -> tuple[Group, ...]:
    """What is known of the data with this title; () where nothing is."""
    return _OF_TITLE.get(title, ())


def matched(mol: Chem.Mol, group: Group) -> np.ndarray:
    """(atoms,) bool: those in any copy of the group."""
    found = np.zeros(mol.GetNumAtoms(), dtype=bool)
    for match in mol.GetSubstructMatches(Chem.MolFromSmarts(group.smarts)):
        found[list(match)] = True
    return found
