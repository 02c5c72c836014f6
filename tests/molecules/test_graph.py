"""What a prefix has built: against RDKit's own reading of whole molecules and known answers."""

from __future__ import annotations

import pytest
import torch
from rdkit import Chem

from domains.molecules.prepare.tokens import tokenize
from domains.molecules.train.graph import Alphabet, Graphs, features_of

SMILES = [
    "CC(C)(C)C(=O)Nc1ccc2[nH]ccc2c1", "O=c1cc[nH]cc1", "c1ccc(-c2ccccc2)cc1", "Cn1ccc2cccnc21",
    "C[n+]1ccccc1", "O=C1CCC2(CC1)OCCO2", "c1ccc2c(c1)Cc1ccccc1-2", "Cc1nnc2sccn12", "C#CC1CC1",
    "N#Cc1ccn2ccnc2c1", "O=S(=O)(c1ccccc1)N1CCOCC1", "c1ccc2ccccc2c1", "Clc1ncc(Br)s1", "c1ccoc1",
]  # fmt: skip
# One atom too few or too many with a double bond to give: what likelihood gets wrong most.
UNKEKULISABLE = [
    "Cc1cc(C)[nH]c(C)c1", "c1ccncn1C", "Cn1ccccc1", "Cc1cc2cnnc2o1C", "O=c1ccccc1", "c1cccc1",
    "c1ccc2cccc2c1", "Cc1nn(C)n(C)c1", "n1cccc1", "c1cc[nH]cc1",
]  # fmt: skip
VOCABULARY = ["", *sorted({token for text in SMILES + UNKEKULISABLE for token in tokenize(text)})]


def tokens_of(smiles: str) -> torch.Tensor:
    return torch.tensor([[VOCABULARY.index(token) for token in tokenize(smiles)]])


def built(smiles: str) -> Graphs:
    graphs = Graphs.empty(Alphabet(VOCABULARY), 1)
    for column in tokens_of(smiles).unbind(1):
        graphs.write(column)
    return graphs


@pytest.mark.parametrize("smiles", SMILES)
def test_a_whole_molecule_leaves_nothing_open(smiles: str) -> None:
    graphs = built(smiles)
    assert graphs.depth.item() == 0
    assert (graphs.ring < 0).all()


@pytest.mark.parametrize("smiles", SMILES)
def test_the_last_atom_has_the_bonds_that_rdkit_counts(smiles: str) -> None:
    mol = Chem.MolFromSmiles(smiles)  # its atoms are in the text's order
    graphs, last = built(smiles), mol.GetAtomWithIdx(mol.GetNumAtoms() - 1)
    if last.GetIsAromatic() or smiles.endswith(")") or not smiles[-1].isalpha():
        return  # aromatic bonds count once; the next bond would go to another atom
    assert graphs.bonds[0, 0].item() == sum(int(b.GetBondTypeAsDouble()) for b in last.GetBonds())


@pytest.mark.parametrize("smiles", SMILES)
def test_aromatic_systems_are_even_where_rdkit_can_draw_them(smiles: str) -> None:
    assert Chem.MolFromSmiles(smiles) is not None
    assert not built(smiles).odd[:, 1:].any()


@pytest.mark.parametrize("smiles", UNKEKULISABLE)
def test_and_odd_where_it_cannot(smiles: str) -> None:
    problems = Chem.DetectChemistryProblems(Chem.MolFromSmiles(smiles, sanitize=False))
    assert "KekulizeException" in [problem.GetType() for problem in problems]
    assert built(smiles).odd[:, 1:].any()


def test_systems_are_counted_apart() -> None:
    graphs = built("c1ccc(-c2ccccc2)cc1")
    assert graphs.systems.item() == 2
    assert built("c1ccc2ccccc2c1").systems.item() == 1
    assert built("CCO").systems.item() == 0


def test_a_ring_tells_how_large_it_would_become() -> None:
    alphabet = Alphabet(VOCABULARY)
    features = features_of(alphabet, tokens_of("C1CCCC1")) - alphabet.starts
    label_one = features[0, :, 4]
    assert label_one.tolist() == [0, 0, 2, 3, 4, 5, 6]  # 0 closed; else the ring's size + 1


def test_branches_return_to_their_atom() -> None:
    alphabet = Alphabet(VOCABULARY)
    features = features_of(alphabet, tokens_of("CC(=O)N")) - alphabet.starts
    atoms = [VOCABULARY[k] for k in features[0, :, 0].tolist()]
    assert atoms == ["", "C", "C", "C", "C", "O", "C"]
    assert features[0, :, 1].tolist() == [0, 0, 1, 1, 1, 2, 3]
    assert features[0, :, 2].tolist() == [0, 0, 0, 1, 1, 1, 0]


def test_a_batch_is_each_molecule_alone() -> None:
    alphabet = Alphabet(VOCABULARY)
    texts = [tokens_of(smiles)[0] for smiles in SMILES]
    together = features_of(alphabet, torch.nn.utils.rnn.pad_sequence(texts, batch_first=True))
    for row, text in zip(together, texts, strict=True):
        assert torch.equal(row[: len(text)], features_of(alphabet, text[None])[0])
