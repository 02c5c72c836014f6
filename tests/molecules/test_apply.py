"""`scistage apply molecules`: new molecules, and molecules near a given one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator

from domains.molecules.predict import files, predict
from domains.molecules.predict.params import PredictParams
from pipelines.cli.apply import apply
from pipelines.core.artifacts import read_csv
from pipelines.core.errors import UserError
from pipelines.core.runner import Inputs
from tests.molecules.trained import folders, write_fits
from tests.workspace import ROOT

COLUMNS = [
    "smiles", "canonical", "valid", "duplicate", "in_train", "qed", "sa", "logp", "weight"
]  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    path = tmp_path_factory.mktemp("project")
    (path / "params.yaml").write_text("domains: [molecules]\n")
    (path / "domains" / "molecules").mkdir(parents=True)
    inputs = folders(path)
    write_fits(inputs, {"likelihood": 1, "adversarial": 2}, critic=True)
    for name in ("model.json", "weights.safetensors", "history.csv"):
        (inputs.train / name).touch()
    params = PredictParams(molecules=50, temperature=0.8, rejection=False, seed=4)
    predict(params, inputs, inputs.predict)
    return inputs


@pytest.fixture
def project(finished: Inputs, monkeypatch: pytest.MonkeyPatch) -> Inputs:
    monkeypatch.chdir(finished.prepare.parents[2])
    return finished


def drawn(tmp_path: Path, *arguments: str) -> pd.DataFrame:
    assert apply("molecules", [*arguments, "-o", "new.csv"], tmp_path) == 0
    return read_csv(tmp_path / "new.csv", text=("smiles", "canonical"))


def test_it_writes_as_predict_does(project: Inputs, tmp_path: Path) -> None:
    found = drawn(tmp_path, "--n", "1100", "--seed", "4")
    first = (tmp_path / "new.csv").read_bytes()
    expected = read_csv(project.predict / "generated.csv", text=("smiles", "canonical"))
    assert list(found.columns) == COLUMNS
    assert len(found) == 1100
    pd.testing.assert_frame_equal(found[:50], expected[COLUMNS])
    drawn(tmp_path, "--n", "30", "--seed", "4")
    assert first.startswith((tmp_path / "new.csv").read_bytes())
    other = drawn(tmp_path, "--n", "30")
    assert other["smiles"].tolist() != found["smiles"][:30].tolist()


def test_near_a_molecule_its_similarity_is_told(project: Inputs, tmp_path: Path) -> None:
    like = Chem.MolFromSmiles("OCNCC")
    found = drawn(tmp_path, "--n", "300", "--like", "OCNCC", "--spread", "0.3")
    assert list(found.columns) == [*COLUMNS, "like_similarity"]
    assert found["like_similarity"].isna().tolist() == (~found["valid"]).tolist()
    morgan = GetMorganGenerator(radius=2, fpSize=1024)
    prints = [
        morgan.GetFingerprint(Chem.MolFromSmiles(text)) for text in found["canonical"].dropna()
    ]
    expected = DataStructs.BulkTanimotoSimilarity(morgan.GetFingerprint(like), prints)
    assert found["like_similarity"].dropna().tolist() == pytest.approx(expected, rel=1e-5)
    assert found["like_similarity"].nunique() > 3


def test_spread_goes_from_the_molecule_to_any(
    project: Inputs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same = drawn(tmp_path, "--n", "20", "--like", "[Na+].OCNCC", "--spread", "0")
    assert capsys.readouterr().out.splitlines()[0].startswith("--like: salt or solvent removed")
    assert same["canonical"].tolist() == [Chem.CanonSmiles("OCNCC")] * 20
    assert same["like_similarity"].tolist() == [1] * 20
    means = [
        drawn(tmp_path, "--n", "500", "--like", "OCNCC", *spread)["like_similarity"].mean()
        for spread in ([], ["--spread", "0.5"], ["--spread", "1"])
    ]
    assert means[0] > means[1] > means[2]


def test_a_molecule_is_encoded_and_written_at_the_same_temperature(
    project: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(files, "drawn_at", lambda folder: 0.01)
    assert drawn(tmp_path, "--n", "20")["smiles"].nunique() == 1
    same = drawn(tmp_path, "--n", "20", "--like", "OCNCC", "--spread", "0")
    assert same["canonical"].tolist() == [Chem.CanonSmiles("OCNCC")] * 20
    assert "--like" not in capsys.readouterr().out


def test_each_mistake_is_told_in_one_line(project: Inputs, tmp_path: Path) -> None:
    expected = {
        "argument --n: found '0'; give a whole number from 1 to 1,000,000": ["--n", "0"],
        "argument --n: found '1000001'": ["--n", "1000001"],
        "argument --n: found 'many'": ["--n", "many"],
        "argument --seed: found '-1'": ["--seed=-1"],
        "argument --spread: found '1.5'; give a number from 0 to 1": ["--spread", "1.5"],
        "argument --spread: found 'nan'": ["--spread", "nan"],
        "--spread: is how far from a molecule; give one with --like": ["--spread", "0.2"],
        "--like: found 'C1CC': not a SMILES; give": ["--like", "C1CC"],
        "--like: found '': no SMILES": ["--like", ""],
        "--like: found 'O': no carbon atom": ["--like", "O"],
        "--like: found CCS: the model has learnt from no molecule with 'S'": ["--like", "CCS"],
        "--like: found CCCCCCCCCC, 10 tokens; the model writes at most 9": ["--like", "C" * 10],
    }
    for message, arguments in expected.items():
        with pytest.raises(UserError) as caught:
            drawn(tmp_path, *arguments)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_its_options_are_known_without_torch() -> None:
    code = "import domains.molecules.predict.apply, sys; print({'torch', 'rdkit'} & {*sys.modules})"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout == "set()\n"
