"""Properties of molecules whose values are known."""

from __future__ import annotations

import gzip
import importlib
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from rdkit import Chem, RDConfig
from rdkit.Chem import QED, Crippen, Descriptors, Mol

from domains.molecules.prepare.moses import MOSES
from pipelines.chemistry.properties import (
    NAMES,
    properties,
    properties_of,
    properties_of_mols,
)
from pipelines.core import parallel
from pipelines.data.sources import fetch

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
MORPHINE = "CN1CC[C@]23[C@@H]4[C@H]1CC5=C2C(=C(C=C5)O)O[C@H]3[C@H](C=C4)O"
STEREO = [MORPHINE, "C[C@H](F)C(F)(Cl)Br", "C1CC(C)C(C)C(C)C1", "C[S@](=O)CC", "F/C=C/F"]
STEREO += ["C1C[C@H](C)C(C)[C@H](C)C1", "[2H][C@](C)(F)Cl", "[13CH4]", "[2H]OC", "CP(=O)(O)F"]
STEREO += ["F.F.F.F"]


def molecule(smiles: str) -> Mol:
    mol = Chem.MolFromSmiles(smiles)
    assert mol is not None
    return mol


def test_aspirin_has_the_values_that_are_known() -> None:
    found = properties(molecule(ASPIRIN))
    assert found.qed == pytest.approx(0.550, abs=1e-3)
    assert found.logp == pytest.approx(1.310, abs=1e-3)
    assert found.weight == pytest.approx(180.159, abs=1e-3)
    assert found.sa == pytest.approx(1.58, abs=1e-2)


@pytest.mark.parametrize(
    ("smiles", "qed"),
    [  # values of the original authors, which RDKit's documentation quotes
        ("N=C(CCSCc1csc(N=C(N)N)n1)NS(N)(=O)=O", 0.253),
        ("CNC(=NCCSCc1nc[nH]c1C)NC#N", 0.234),
    ],
)
def test_qed_is_that_of_its_authors(smiles: str, qed: float) -> None:
    assert properties(molecule(smiles)).qed == pytest.approx(qed, abs=1e-3)


def test_what_is_hard_to_make_scores_higher() -> None:
    easy, hard = (properties(molecule(smiles)).sa for smiles in ("CCO", MORPHINE))
    assert 1 <= easy < 2.5 < 4 < hard <= 10


@pytest.mark.parametrize("smiles", [ASPIRIN, MORPHINE, "[2H]C", "[H][H]", "[Na+].[Cl-]", "C"])
def test_sharing_the_work_of_qed_changes_nothing(smiles: str) -> None:
    mol = molecule(smiles)
    found = properties(mol)
    assert (found.qed, found.logp) == (QED.qed(mol), Crippen.MolLogP(mol))
    assert found.weight == Descriptors.MolWt(mol)
    only = properties(molecule(smiles), {"weight"})
    assert (only.logp, only.weight) == (found.logp, found.weight)
    assert np.isnan(only.qed) and np.isnan(only.sa)


def test_real_molecules_have_rdkits_own_values() -> None:
    path = next(p for name, p in fetch(MOSES).items() if name.endswith("/test.csv.gz"))
    smiles = gzip.decompress(path.read_bytes()).decode().split()[1:301]
    found = properties_of_mols([molecule(text) for text in smiles + STEREO])
    for text, ours in zip(smiles + STEREO, found, strict=True):
        mol = molecule(text)
        assert ours[:3] == (QED.qed(mol), Crippen.MolLogP(mol), Descriptors.MolWt(mol))
        assert ours.sa == sascorer().calculateScore(molecule(text))


def sascorer() -> ModuleType:
    folder = str(Path(RDConfig.RDContribDir, "SA_Score"))
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module("sascorer")


def test_a_table_of_smiles_keeps_its_order_and_tells_what_is_none(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    smiles = [ASPIRIN, "c1ccc", "", MORPHINE, "C(C)(C)(C)(C)C", "not a molecule"]
    table = properties_of(smiles)
    assert tuple(table) == NAMES == ("qed", "logp", "weight", "sa")
    for column in table.values():
        assert column.dtype == np.float64
        assert np.isnan(column).tolist() == [False, True, True, False, True, True]
    assert table["weight"][[0, 3]].tolist() == pytest.approx([180.159, 285.343], abs=1e-3)
    assert {name: column.shape for name, column in properties_of([]).items()} == dict.fromkeys(
        NAMES, (0,)
    )
    monkeypatch.setattr(parallel, "CHUNK", 1)
    monkeypatch.setenv("SCISTAGE_THREADS", "2")
    for name, column in properties_of(smiles).items():
        np.testing.assert_array_equal(column, table[name])
    assert capfd.readouterr() == ("", "")
