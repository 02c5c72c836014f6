"""Graphs of known molecules, what must not change them, and RDKit's own answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import Descriptors

from domains.screening.prepare.arrays import Graphs, joined, read_graphs, write_graphs
from domains.screening.prepare.descriptors import NAMES, descriptors
from domains.screening.prepare.features import ATOMS, BONDS, FEATURES, Feature
from domains.screening.prepare.featurise import counts, featurise
from pipelines.chemistry.standardise import standardise
from tests.screening.made import KNOWN

SMILES = [str(standardise(text).smiles) for text in KNOWN]


@pytest.fixture(scope="module")
def graphs() -> Graphs:
    return featurise(SMILES)


def meanings(codes: np.ndarray, features: tuple[Feature, ...]) -> list[dict[str, str]]:
    return [
        {f.name: f.meanings[code - 1] for f, code in zip(features, row, strict=True)}
        for row in codes.tolist()
    ]


def test_what_is_said_of_the_atoms_of_a_zwitterion() -> None:
    n, ca, *_, o = meanings(featurise(["[NH3+][C@@H](C)C(=O)[O-]"]).atoms, ATOMS)
    assert n == {
        "element": "N",
        "neighbours": "1",
        "charge": "+1",
        "hydrogens": "3",
        "hybridisation": "sp3",
        "aromatic": "no",
        "smallest ring": "none",
        "chirality": "none",
    }
    assert (ca["element"], ca["chirality"], ca["hydrogens"]) == ("C", "S", "1")
    assert (o["element"], o["charge"], o["hybridisation"]) == ("O", "-1", "sp2")


def test_what_is_said_of_rings() -> None:
    naphthalene, cyclopropane = featurise(["c1ccc2ccccc2c1"]), featurise(["C1CC1CCC#N"])
    for atom in meanings(naphthalene.atoms, ATOMS):
        assert (atom["smallest ring"], atom["aromatic"], atom["hybridisation"]) == (
            "6",
            "yes",
            "sp2",
        )
    for bond in meanings(naphthalene.bonds, BONDS):
        assert bond == {"order": "aromatic", "conjugated": "yes", "ring": "yes", "stereo": "none"}
    sizes = [atom["smallest ring"] for atom in meanings(cyclopropane.atoms, ATOMS)]
    assert sizes == ["3", "3", "3", "none", "none", "none", "none"]
    bonds = [(bond["order"], bond["ring"]) for bond in meanings(cyclopropane.bonds, BONDS)]
    assert bonds.count(("single", "yes")) == bonds.count(("single", "no")) == 3
    assert bonds.count(("triple", "no")) == 1


def test_an_atom_of_two_rings_is_said_to_be_in_the_smaller() -> None:
    indole = meanings(featurise(["c1ccc2[nH]ccc2c1"]).atoms, ATOMS)
    assert "".join(atom["smallest ring"] for atom in indole) == "666555556"


def test_what_is_said_of_charges_of_two_and_more() -> None:
    atoms = meanings(featurise(["[Mg+2]", "[O-2]", "[Al+3]"]).atoms, ATOMS)
    assert [atom["charge"] for atom in atoms] == ["+2 or more", "-2 or less", "+2 or more"]


@pytest.mark.parametrize(
    ("smiles", "stereo"), [("F/C=C/F", "E"), ("F/C=C\\F", "Z"), ("FC=CF", "none")]
)
def test_the_sides_of_a_double_bond(smiles: str, stereo: str) -> None:
    double = [b for b in meanings(featurise([smiles]).bonds, BONDS) if b["order"] == "double"]
    assert [bond["stereo"] for bond in double] == [stereo]


def test_an_element_that_is_not_listed_and_an_atom_alone() -> None:
    assert meanings(featurise(["C[Te]C"]).atoms, ATOMS)[1]["element"] == "other"
    methane = featurise(["C"])
    assert methane.bonds.shape == (0, 4) and methane.ends.shape == (0, 2)
    assert meanings(methane.atoms, ATOMS)[0]["hydrogens"] == "4 or more"


def test_codes_are_within_their_features_and_never_the_hidden_one(graphs: Graphs) -> None:
    for codes, sizes in ((graphs.atoms, FEATURES["atoms"]), (graphs.bonds, FEATURES["bonds"])):
        assert codes.dtype == np.uint8 and codes.shape[1] == len(sizes)
        assert codes.min() >= 1
        assert (codes.max(axis=0) < list(sizes.values())).all()


def test_the_order_in_which_atoms_are_written_changes_nothing(graphs: Graphs) -> None:
    rng = np.random.default_rng(0)
    for k, smiles in enumerate(SMILES):
        mol = Chem.MolFromSmiles(smiles)
        order = rng.permutation(mol.GetNumAtoms())
        turned = Chem.MolToSmiles(Chem.RenumberAtoms(mol, order.tolist()), canonical=False)
        assert described(featurise([turned])) == described(graphs.take([k])), smiles


def described(one: Graphs) -> tuple[list[tuple[int, ...]], list[tuple[object, ...]]]:
    """Atoms and bonds of one molecule, whatever their order."""
    atoms = [tuple(row) for row in one.atoms.tolist()]
    bonds = [
        (*codes, *sorted((atoms[a], atoms[b])))
        for codes, (a, b) in zip(one.bonds.tolist(), one.ends.tolist(), strict=True)
    ]
    return sorted(atoms), sorted(bonds)


def test_bonds_join_the_atoms_that_rdkit_joins(graphs: Graphs) -> None:
    for k, smiles in enumerate(SMILES):
        mol = Chem.MolFromSmiles(smiles)
        one = graphs.take([k])
        adjacency = np.zeros((len(one.atoms),) * 2, dtype=int)
        adjacency[one.ends[:, 0], one.ends[:, 1]] = adjacency[one.ends[:, 1], one.ends[:, 0]] = 1
        assert np.array_equal(adjacency, Chem.GetAdjacencyMatrix(mol))


def test_chosen_molecules_are_those_featurised_alone(graphs: Graphs, tmp_path: Path) -> None:
    for chosen in ([3, 3, 0, 59], [], [17]):
        taken, alone = graphs.take(chosen), featurise([SMILES[k] for k in chosen])
        assert len(taken) == len(chosen)
        assert same(taken, alone)
    halves = [graphs.take(range(30)), graphs.take(range(30, 60))]
    assert same(joined(halves), graphs)
    write_graphs(tmp_path / "graphs.npz", graphs)
    assert same(read_graphs(tmp_path, "graphs"), graphs)


def same(one: Graphs, other: Graphs) -> bool:
    return all(
        np.array_equal(a, b) for a, b in zip(vars(one).values(), vars(other).values(), strict=True)
    )


def test_counts_and_descriptors_are_rdkit_s() -> None:
    found, numbers = counts(SMILES), descriptors(SMILES)
    assert found.shape == (60, 2048) and numbers.shape == (60, len(NAMES))
    octane = SMILES.index("CCCCCCCC")
    assert (
        found[octane].sum() == 8 * 3 - 2
    )  # three radii of each atom; what repeats the same bonds is left out
    named = dict(zip(NAMES, numbers[octane].tolist(), strict=True))
    mol = Chem.MolFromSmiles("CCCCCCCC")
    for name, ask in (("amw", Descriptors.MolWt), ("CrippenClogP", Descriptors.MolLogP)):
        assert named[name] == pytest.approx(ask(mol), rel=1e-5)
    assert named["fr_nitro"] == 0
    nitro = numbers[SMILES.index("Cc1ncc([N+](=O)[O-])n1CCO")]
    assert dict(zip(NAMES, nitro.tolist(), strict=True))["fr_nitro"] == 1


def test_what_is_no_smiles_is_told() -> None:
    with pytest.raises(ValueError, match="molecule 1 is no SMILES"):
        featurise(["C", "nonsense"])
