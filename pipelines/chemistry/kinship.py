"""What a molecule shares with others that must not be split from it: stereoisomers, scaffolds."""

from collections.abc import Sequence
from dataclasses import dataclass

from rdkit import Chem
from rdkit.Chem.Scaffolds import MurckoScaffold


@dataclass(frozen=True, slots=True)
class Kinship:
    """What a molecule shares with others, as SMILES without stereochemistry.

    flat: its own, shared by stereoisomers; scaffold: of Bemis & Murcko 1996 (Journal of Medicinal
    Chemistry 39:2887), "" for a molecule without rings.
    """

    flat: str
    scaffold: str


def kinships(smiles: Sequence[str]) -> list[Kinship]:
    """Of each molecule."""
    found = []
    for text in smiles:
        mol = Chem.MolFromSmiles(text)
        Chem.RemoveStereochemistry(mol)
        flat = Chem.MolToSmiles(mol)
        scaffold = Chem.MolToSmiles(MurckoScaffold.GetScaffoldForMol(mol))
        found.append(Kinship(flat, scaffold))
    return found
