"""The form in which molecules are learnt from, and which of them are not."""

from collections.abc import Sequence

from rdkit import Chem
from rdkit.Chem import Atom

from pipelines.chemistry.standardise import Standardised, atoms_of, standardise

METAL = "a metal atom"
RADICAL = "an unpaired electron"

# What organic chemists call metals: everything left of the metalloids.
_METALS = {3, 4, 11, 12, 13, *range(19, 32), *range(37, 51), *range(55, 85), *range(87, 119)}


def too_large(max_atoms: int) -> str:
    """The reason of a molecule that is."""
    return f"more than {max_atoms} heavy atoms"


def standard(smiles: Sequence[str], max_atoms: int) -> list[Standardised]:
    """Largest fragment, neutral, canonical; or why a molecule cannot be used."""
    return [_judged(standardise(text), max_atoms) for text in smiles]


def _judged(form: Standardised, max_atoms: int) -> Standardised:
    if form.smiles is None:
        return form
    mol = Chem.MolFromSmiles(form.smiles)
    atoms = atoms_of(mol)
    if len(atoms) > max_atoms:
        return Standardised(None, too_large(max_atoms))
    if not _METALS.isdisjoint(map(Atom.GetAtomicNum, atoms)):
        return Standardised(None, METAL)
    if any(map(Atom.GetNumRadicalElectrons, atoms)):
        return Standardised(None, RADICAL)
    return form
