"""RDKit's descriptors of whole molecules: those that are quick, about a millisecond together.

Sizes, shapes and counts (RDKit's `Properties`), surface areas by logP, refractivity and charge
(Labute 2000), molecular quantum numbers (Nguyen et al. 2009), and counts of functional groups.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from rdkit.Chem import Fragments, Mol, rdMolDescriptors

from .featurise import parsed

_PROPERTIES = rdMolDescriptors.Properties()
_GROUPS = {name: ask for name, ask in sorted(vars(Fragments).items()) if name.startswith("fr_")}
_AREAS: dict[str, tuple[Callable[[Mol], Sequence[float]], int]] = {
    "SlogP_VSA": (rdMolDescriptors.SlogP_VSA_, 12),
    "SMR_VSA": (rdMolDescriptors.SMR_VSA_, 10),
    "PEOE_VSA": (rdMolDescriptors.PEOE_VSA_, 14),
    "MQN": (rdMolDescriptors.MQNs_, 42),
}

NAMES = (
    *_PROPERTIES.GetPropertyNames(),
    *(f"{name}{k}" for name, (_, size) in _AREAS.items() for k in range(1, size + 1)),
    *_GROUPS,
)


def descriptors(smiles: Sequence[str]) -> NDArray[np.float32]:
    """(n, D) in the order of NAMES; NaN where one is not a finite number."""
    found = np.full((len(smiles), len(NAMES)), np.nan)
    for row, mol in zip(found, parsed(smiles), strict=True):
        areas = [value for ask, _ in _AREAS.values() for value in ask(mol)]
        groups = [ask(mol) for ask in _GROUPS.values()]
        row[:] = [*_PROPERTIES.ComputeProperties(mol), *areas, *groups]
    with np.errstate(over="ignore"):
        single = found.astype(np.float32)
    return np.where(np.isfinite(single), single, np.float32(np.nan))
