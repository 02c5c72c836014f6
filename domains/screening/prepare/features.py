"""What the network is told of each atom and bond: categories, stored as codes, each documented.

Code 0 of every feature is kept free for "hidden": no atom or bond has it until an explanation masks
one. The codes 1, 2, … stand for the meanings in their order. None depends on the order in which the
atoms are written. In a ring, where Z and E are not defined, cis and trans are told apart only by
the chirality of atoms that have one.
"""

from typing import NamedTuple


class Feature(NamedTuple):
    """A name and what its codes mean, from 1."""

    name: str
    meanings: tuple[str, ...]


ELEMENTS = ("C", "N", "O", "F", "P", "S", "Cl", "Br", "I", "B", "Si", "Se")

ATOMS = (
    Feature("element", (*ELEMENTS, "other")),
    Feature("neighbours", ("0", "1", "2", "3", "4", "5 or more")),  # hydrogens not counted
    Feature("charge", ("0", "+1", "-1", "+2 or more", "-2 or less")),  # formal
    Feature("hydrogens", ("0", "1", "2", "3", "4 or more")),
    Feature("hybridisation", ("none", "sp", "sp2", "sp3", "higher")),
    Feature("aromatic", ("no", "yes")),
    Feature("smallest ring", ("none", "3", "4", "5", "6", "7", "8 or more")),  # atoms in it
    Feature("chirality", ("none", "R", "S")),  # Cahn, Ingold & Prelog
)

BONDS = (
    Feature("order", ("single", "double", "triple", "aromatic", "other")),
    Feature("conjugated", ("no", "yes")),
    Feature("ring", ("no", "yes")),
    Feature("stereo", ("none", "Z", "E")),
)

# Number of codes of each feature, 0 included.
FEATURES = {
    "atoms": {feature.name: len(feature.meanings) + 1 for feature in ATOMS},
    "bonds": {feature.name: len(feature.meanings) + 1 for feature in BONDS},
}
