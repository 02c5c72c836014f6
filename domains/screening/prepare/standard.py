"""The form in which molecules are learnt from, and which of them are not."""

from collections.abc import Sequence

from rdkit import Chem, rdBase
from rdkit.Chem import Atom, Mol
from rdkit.Chem.MolStandardize import rdMolStandardize

from pipelines.chemistry.standardise import (
    CHEMISTRY,
    LONGEST,
    SALT,
    SYNTAX,
    Standardised,
    atoms_of,
    standardise,
)

from .counterions import is_mixture, without_counterions

METAL = "a metal atom"
RADICAL = "an unpaired electron"
MIXTURE = "a mixture of organic molecules"
REDRAWN = "another drawing of the same molecule"

# What organic chemists call metals: everything left of the metalloids.
_METALS = {3, 4, 11, 12, 13, *range(19, 32), *range(37, 51), *range(55, 85), *range(87, 119)}

# Of several ways to draw a charge, the neutral one; what RDKit's reader does not mend itself.
_FORMS = (
    ("oxide or ylide", "[S,P,Se;+1:1]-[O,S,N,C;-1:2]>>[*;+0:1]=[*;+0:2]"),
    ("dioxide", "[S,Se;+2:1]-[O,N;-1:2]>>[*;+1:1]=[*;+0:2]"),
    ("azide or diazo", "[N,C;-1:1]-[N;+1:2]#[N;+0:3]>>[*;+0:1]=[*;+1:2]=[*;-1:3]"),
)


def too_large(max_atoms: int) -> str:
    """The reason of a molecule that is."""
    return f"more than {max_atoms} heavy atoms"


def standard(smiles: Sequence[str], max_atoms: int) -> list[Standardised]:
    """Without counterions, neutral, canonical; or why a molecule cannot be used.

    An acid is neutral also beside a charge that cannot be removed, so that a betaine and its
    hydrochloride are the same.
    """
    with rdBase.BlockLogs():
        return [_judged(text.strip(), max_atoms) for text in smiles]


def _judged(text: str, max_atoms: int) -> Standardised:
    if len(text) > LONGEST:
        return Standardised(None, too_large(max_atoms))
    form = _parent(text)
    if form.smiles is None:
        return form
    mol = Chem.MolFromSmiles(form.smiles)
    if mol is not None and ("+" in form.smiles or "[H]" in form.smiles):
        form = _redrawn(form, mol)
        mol = Chem.MolFromSmiles(form.smiles)
    if mol is None:  # written, it cannot be drawn with alternating bonds
        return Standardised(None, CHEMISTRY)
    atoms = atoms_of(mol)
    if mol.GetNumHeavyAtoms() > max_atoms:
        return Standardised(None, too_large(max_atoms))
    if not _METALS.isdisjoint(map(Atom.GetAtomicNum, atoms)):
        return Standardised(None, METAL)
    if any(map(Atom.GetNumRadicalElectrons, atoms)):
        return Standardised(None, RADICAL)
    return form


def _parent(text: str) -> Standardised:
    """The standardised molecule, without counterions that may be larger than it."""
    if len(parts := text.split(None, 1)) > 1 and not parts[1].startswith("|"):
        return Standardised(None, SYNTAX)  # RDKit would take what follows for a name
    mol = Chem.MolFromSmiles(text) if "." in text else None
    if mol is None:
        return standardise(text)
    fragments = list(Chem.GetMolFrags(mol, asMols=True))
    kept = without_counterions(fragments)
    if is_mixture(kept):
        return Standardised(None, MIXTURE)
    if len(kept) == len(fragments):
        return standardise(text)
    form = standardise(".".join(map(Chem.MolToSmiles, kept)))
    return Standardised(form.smiles, form.reason, tuple(dict.fromkeys([SALT, *form.changes])))


def _redrawn(form: Standardised, mol: Mol) -> Standardised:
    """Other drawings of the same molecule as one."""
    neutral = _CHARGES.uncharge(_NORMALISER.normalize(mol))
    smiles = Chem.MolToSmiles(Chem.RemoveHs(neutral, _HYDROGENS))
    if smiles == form.smiles:
        return form
    return Standardised(smiles, None, (*form.changes, REDRAWN))


_NORMALISER = rdMolStandardize.NormalizerFromData(
    "".join(f"{name}\t{change}\n" for name, change in _FORMS),
    rdMolStandardize.CleanupParameters(),
)
_CHARGES = rdMolStandardize.Uncharger(canonicalOrder=True, force=True)
_HYDROGENS = Chem.RemoveHsParameters()
_HYDROGENS.removeDefiningBondStereo = True  # of imines without a substituent at the nitrogen
