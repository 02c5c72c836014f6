"""One spelling and one form for a molecule: largest fragment, neutral, no isotopes, canonical.

Stereochemistry is kept; a tautomer is taken as it is written.
"""

from dataclasses import dataclass

from rdkit import Chem, rdBase
from rdkit.Chem import Atom
from rdkit.Chem.MolStandardize import rdMolStandardize

from pipelines.core.artifacts import is_text

EMPTY = "no SMILES"
SYNTAX = "not a SMILES"
CHEMISTRY = "chemically impossible (valence or aromaticity)"
TOO_LONG = "more than 5000 characters"
QUERY = "attachment point or query atom"
INORGANIC = "no carbon atom"
UNWRITABLE = "a bond or ring closure that SMILES cannot write"

SALT = "salt or solvent removed"
CHARGE = "charge neutralised"
ISOTOPE = "isotope cleared"
LABEL = "atom numbers cleared"

LONGEST = 5000  # characters; of several times as many RDKit's reader ends the process
MISSING = {"", "nan", "na", "n/a", "none", "null", "-"}


@dataclass(frozen=True, slots=True)
class Standardised:
    """A molecule's canonical SMILES, or the reason why there is none; and what was changed."""

    smiles: str | None
    reason: str | None = None
    changes: tuple[str, ...] = ()


def atoms_of(mol: Chem.Mol) -> list[Atom]:
    """The atoms in their order; RDKit's own iterator is written in Python and half as fast."""
    return list(map(mol.GetAtomWithIdx, range(mol.GetNumAtoms())))


def standardise(smiles: str) -> Standardised:
    """Bring one SMILES into the form that a model learns from.

    >>> standardise("[Na+].[2H]C(=O)[O-]").smiles
    'O=CO'
    """
    text = smiles.strip()
    if text.lower() in MISSING:
        return Standardised(None, EMPTY)
    if len(text) > LONGEST:
        return Standardised(None, TOO_LONG)
    if not is_text(text):  # RDKit raises
        return Standardised(None, SYNTAX)
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(text)
        if mol is None:
            legible = Chem.MolFromSmiles(text, sanitize=False) is not None
            return Standardised(None, CHEMISTRY if legible else SYNTAX)
        mol, changes = _simplified(mol)
        if mol is None:  # neutral, it cannot be drawn with alternating bonds
            return Standardised(None, CHEMISTRY)
        written = Chem.MolToSmiles(mol)
        reason = _unusable(mol, written)
        return Standardised(None, reason) if reason else Standardised(written, None, changes)


def _simplified(mol: Chem.Mol) -> tuple[Chem.Mol | None, tuple[str, ...]]:
    changes = []
    if len(Chem.GetMolFrags(mol)) > 1:
        mol = _FRAGMENTS.choose(mol)
        changes.append(SALT)
    atoms = atoms_of(mol)
    if any(map(Atom.GetIsotope, atoms)):
        for atom in atoms:
            atom.SetIsotope(0)
        changes.append(ISOTOPE)
    if any(map(Atom.GetAtomMapNum, atoms)):
        for atom in atoms:
            atom.SetAtomMapNum(0)
        changes.append(LABEL)
    charges = list(map(Atom.GetFormalCharge, atoms))
    if any(charges):
        mol = _CHARGES.uncharge(mol)
        if [a.GetFormalCharge() for a in mol.GetAtoms()] != charges:
            changes.append(CHARGE)
    if changes:  # hydrogens that an isotope made atoms, stereocentres that it made
        mol = Chem.MolFromSmiles(Chem.MolToSmiles(mol))
    return mol, tuple(changes)


def _unusable(mol: Chem.Mol, written: str) -> str | None:
    numbers = set(map(Atom.GetAtomicNum, atoms_of(mol)))
    if 0 in numbers:
        return QUERY
    if 6 not in numbers:
        return INORGANIC
    if any(sign in written for sign in _UNWRITABLE):
        return UNWRITABLE
    return None


_FRAGMENTS = rdMolStandardize.LargestFragmentChooser(preferOrganic=True)
_CHARGES = rdMolStandardize.Uncharger()
_UNWRITABLE = ("->", "<-", "~")  # bonds that RDKit alone reads: dative, zero, unspecified
