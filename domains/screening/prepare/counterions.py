"""Organic counterions of drugs, some of which are larger than the drug."""

from __future__ import annotations

from functools import cache

from rdkit import Chem
from rdkit.Chem import Mol

from pipelines.chemistry.kinship import skeleton_of

PARENT = 6  # heavy atoms, from which an organic fragment may be what was measured

_ACIDS = """
OC(=O)c1cc2ccccc2c(Cc2c(O)c(C(O)=O)cc3ccccc23)c1O Oc1c(C(O)=O)cc2ccccc2c1
OC(=O)C(O)C(O)C(O)=O OC(=O)CC(O)(CC(O)=O)C(O)=O OC(=O)C=CC(O)=O OC(=O)CCC(O)=O OC(=O)CC(O)C(O)=O
OC(=O)C(O)=O OC(=O)CC(O)=O OC(=O)CCCCC(O)=O CC(O)C(O)=O CC(O)=O OC=O OC(=O)C(F)(F)F OC(=O)CO
OC(=O)c1ccccc1 OC(=O)c1ccccc1O OC(=O)C(O)c1ccccc1 OCC(O)C(O)C(O)C(O)C(O)=O
OCC(O)C(O)C(O)C(O)C(O)C(O)=O CS(O)(=O)=O CCS(O)(=O)=O OCCS(O)(=O)=O OS(=O)(=O)CCS(O)(=O)=O
Cc1ccc(cc1)S(O)(=O)=O OS(=O)(=O)c1ccccc1 OS(=O)(=O)c1ccc2ccccc2c1 OS(=O)(=O)c1cccc2ccccc12
OS(=O)(=O)c1cccc2c1cccc2S(O)(=O)=O CC1(C)C2CCC1(CS(O)(=O)=O)C(=O)C2 COS(O)(=O)=O CCOS(O)(=O)=O
CCCCCCCCCCCCOS(O)(=O)=O
CC(=O)NCC(O)=O CCCCCCCCCCCCCCCCCC(O)=O Cn1c(=O)n(C)c2nc(Cl)[nH]c2c1=O
"""
_BASES = """
CNCC(O)C(O)C(O)C(O)CO NC(CO)(CO)CO NCCCCC(N)C(O)=O NC(CCCNC(N)=N)C(O)=O C[N+](C)(C)CCO NCCO
OCCNCCO NCCN C1CNCCN1 CCNCC CCN(CC)CC CC(C)(C)N C1CCC(CC1)NC1CCCCC1 c1ccc(cc1)CNCCNCc1ccccc1
"""


def without_counterions(fragments: list[Mol]) -> list[Mol]:
    """The fragments but for known counterions, unless nothing organic would be left."""
    known = _skeletons()
    rest = [mol for mol in fragments if skeleton_of(mol) not in known]
    return rest if any(map(_is_organic, rest)) else fragments


def is_mixture(fragments: list[Mol]) -> bool:
    """Whether several different molecules are there, each of which may be the one meant."""
    large = [mol for mol in fragments if _is_organic(mol) and mol.GetNumHeavyAtoms() >= PARENT]
    return len({skeleton_of(mol) for mol in large}) > 1


def _is_organic(mol: Mol) -> bool:
    return any(atom.GetAtomicNum() == 6 for atom in mol.GetAtoms())


@cache
def _skeletons() -> frozenset[str]:
    return frozenset(skeleton_of(Chem.MolFromSmiles(text)) for text in (_ACIDS + _BASES).split())
