"""Counterfactuals: matched pairs of a molecule with and without one more small group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rdkit import Chem

from pipelines.core.randomness import generator

GROUPS = {  # what takes a hydrogen's place; the first atom is bound
    "hydroxyl": "O",
    "carboxyl": "C(=O)O",
    "amide": "C(N)=O",
    "amine": "N",
    "nitro": "[N+](=O)[O-]",
    "methyl": "C",
    "fluorine": "F",
    "chlorine": "Cl",
}


# An aromatic carbon, else one that bears no heteroatom: what is made could be in a bottle.
_SITES = [Chem.MolFromSmarts(text) for text in ("[cH]", "[CX4;!H0;!$(C~[!#6])]")]


def planted(smiles: Sequence[str], seed: int) -> tuple[np.ndarray, dict[str, list[str]]]:
    """Molecules with one more group each, all at the same carbon of a molecule, chosen by chance.

    Returns:
        Numbers (m,) of the molecules that have a carbon for it; by the group's name their m SMILES
        with that group.
    """
    kept, found = [], {name: list[str]() for name in GROUPS}
    fragments = {name: Chem.MolFromSmiles(text) for name, text in GROUPS.items()}
    for k, text in enumerate(smiles):
        mol = Chem.MolFromSmiles(text)
        sites = next(filter(None, map(mol.GetSubstructMatches, _SITES)), ())
        if not sites:
            continue
        kept.append(k)
        site = int(generator(seed, k).choice(sites)[0])
        for name, fragment in fragments.items():
            found[name].append(_with(mol, site, fragment))
    return np.array(kept, dtype=int), found


def _with(mol: Chem.Mol, site: int, fragment: Chem.Mol) -> str:
    both = Chem.RWMol(Chem.CombineMols(mol, fragment))
    both.AddBond(site, mol.GetNumAtoms(), Chem.BondType.SINGLE)
    carbon = both.GetAtomWithIdx(site)
    if carbon.GetNoImplicit():  # written with its hydrogens, as a stereocentre is
        carbon.SetNumExplicitHs(carbon.GetNumExplicitHs() - 1)
    Chem.SanitizeMol(both)
    return Chem.MolToSmiles(both)
