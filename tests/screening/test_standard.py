"""Which molecule a SMILES with salts, charges and other drawings stands for."""

from __future__ import annotations

import pytest

from domains.screening.prepare.standard import MIXTURE, standard, too_large
from pipelines.chemistry.kinship import kinships
from pipelines.chemistry.standardise import CHEMISTRY, SYNTAX, Standardised

IMIPRAMINE = "CN(C)CCCN1c2ccccc2CCc2ccccc21"
PAMOATE = "[O-]C(=O)c1cc2ccccc2c(Cc2c(O)c(C(O)=O)cc3ccccc23)c1O"


def one(smiles: str) -> Standardised:
    [form] = standard([smiles], 100)
    return form


@pytest.mark.parametrize(
    ("spellings", "expected"),
    [
        (("C[S+]([O-])c1ccccc1", "CS(=O)c1ccccc1"), "CS(=O)c1ccccc1"),
        (("C[S@@+]([O-])c1ccccc1", "C[S@@](=O)c1ccccc1"), "C[S@@](=O)c1ccccc1"),
        (("C[S+2]([O-])([O-])C", "CS(C)(=O)=O"), "CS(C)(=O)=O"),
        (("[CH2-][P+](C)(C)C", "C=P(C)(C)C"), "C=P(C)(C)C"),
        (("C[N-][N+]#N", "CN=[N+]=[N-]"), "CN=[N+]=[N-]"),
        (("C[N+](C)(C)CC([O-])=O", "C[N+](C)(C)CC(O)=O.[Cl-]"), "C[N+](C)(C)CC(=O)O"),
        (("[H]/N=C(\\N)c1ccccc1", "NC(=N)c1ccccc1"), "N=C(N)c1ccccc1"),
    ],
)
def test_drawings_of_one_molecule_are_one(spellings: tuple[str, ...], expected: str) -> None:
    assert {one(text).smiles for text in spellings} == {expected}
    assert one(expected).smiles == expected


@pytest.mark.parametrize(
    "smiles", ["O/N=C/c1ccccc1", "C[N+](=O)[O-]", "[O-][n+]1ccccc1", "C/C=C/F", "[C-]#[N+]C"]
)
def test_what_has_no_other_drawing_is_kept(smiles: str) -> None:
    assert one(smiles) == Standardised(smiles)


@pytest.mark.parametrize(
    ("salt", "parent"),
    [
        (f"{IMIPRAMINE}.{PAMOATE}.[Na+]", IMIPRAMINE),
        ("NNC(=O)c1ccncc1.Cc1ccc(cc1)S(O)(=O)=O", "NNC(=O)c1ccncc1"),
        ("CC(C)Cc1ccc(C(C)C(=O)O)cc1.NCCCC[C@H](N)C(O)=O", "CC(C)Cc1ccc(C(C)C(=O)O)cc1"),
        ("[Na+].[O-]C(=O)c1ccccc1", "O=C(O)c1ccccc1"),  # the salt of nothing else
        ("CC[NH3+].CC[NH3+].[O-]S(=O)(=O)[O-]", "CCN"),
    ],
)
def test_a_counterion_is_not_what_was_measured(salt: str, parent: str) -> None:
    assert one(salt).smiles == parent


def test_of_two_drugs_in_one_row_none_is_chosen() -> None:
    assert one("NNC(=O)c1ccncc1.Nc1ccc(C(O)=O)c(O)c1").reason == MIXTURE
    assert one("C[C@H](N)c1ccccc1.C[C@@H](N)c1ccccc1").smiles is not None  # a racemate


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        ("CCO ethanol", SYNTAX),  # RDKit alone reads a name and drops it
        ("CCO\tCC", SYNTAX),
        ("CCn1cc(C(O)=O)c(=O)c2cc3OOc3c=12", CHEMISTRY),
        ("C" * 20_000, too_large(100)),  # RDKit's reader ends the process
    ],
)
def test_what_cannot_be_read_as_one_molecule(smiles: str, reason: str) -> None:
    assert one(smiles) == Standardised(None, reason)


def test_an_explicit_hydrogen_is_no_heavy_atom() -> None:
    assert standard(["[H]/N=C/CCC"], 5)[0].smiles == "CCCC=N"


def test_forms_of_one_molecule_have_one_skeleton() -> None:
    for forms in (("O=c1cccc[nH]1", "Oc1ccccn1"), ("NCC(=O)O", "[NH3+]CC(=O)[O-]")):
        assert len({kin.skeleton for kin in kinships(forms)}) == 1
    first, other = kinships(["Oc1ccccn1", "Oc1cccnc1"])
    assert first.skeleton != other.skeleton
