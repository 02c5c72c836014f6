"""What a molecule shares with others that must not be split from it: its skeleton, its scaffold."""

from collections.abc import Sequence
from dataclasses import dataclass

from rdkit import Chem, rdBase
from rdkit.Chem import Mol
from rdkit.Chem.Scaffolds import MurckoScaffold

_BLOCK = 14  # letters of the first block of an InChIKey


@dataclass(frozen=True, slots=True)
class Kinship:
    """What a molecule shares with others.

    flat: its SMILES without stereochemistry, shared by stereoisomers; scaffold: that of Bemis &
    Murcko 1996 (Journal of Medicinal Chemistry 39:2887), "" for a molecule without rings;
    skeleton: see `skeleton_of`, `flat` where there is none.
    """

    flat: str
    scaffold: str
    skeleton: str


def kinships(smiles: Sequence[str]) -> list[Kinship]:
    """Of each molecule."""
    found = []
    for text in smiles:
        mol = Chem.MolFromSmiles(text)
        Chem.RemoveStereochemistry(mol)
        flat = Chem.MolToSmiles(mol)
        scaffold = Chem.MolToSmiles(MurckoScaffold.GetScaffoldForMol(mol))
        found.append(Kinship(flat, scaffold, skeleton_of(mol) or flat))
    return found


def skeleton_of(mol: Mol) -> str:
    """First block of the InChIKey, "" where there is none.

    Stereoisomers share it, and so do forms that differ by a proton: those of other charge, and
    tautomers whose hydrogen moves between hetero atoms (Heller et al. 2015, Journal of
    Cheminformatics 7:23).
    """
    with rdBase.BlockLogs():
        return str(Chem.MolToInchiKey(mol)[:_BLOCK])
