"""`scistage apply screening`: a table in, the same table with scores out."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pandas as pd
import pytest

from domains.screening.predict import apply as module
from domains.screening.prepare.arrays import read_library, read_molecules
from pipelines.chemistry.tables import Row, Table
from pipelines.cli.apply import apply
from pipelines.core.artifacts import read_csv
from pipelines.core.errors import UserError
from pipelines.core.runner import Inputs
from tests.screening.made import CROSSING, DISTANCE, LIBRARY, made_prepare
from tests.screening.test_predict import predicted
from tests.screening.trained import trained

ADDED = [
    *(f"{t}_{what}" for t in ("crossing", "distance") for what in ("score", "low", "high")),
    *("crossing_spread", "distance_spread", "similarity", "inside", "scored_as", "reason"),
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    path = tmp_path_factory.mktemp("project")
    (path / "params.yaml").write_text("domains: [screening]\n")
    (path / "domains" / "screening").mkdir(parents=True)
    folder = path / "outputs" / "screening"
    made_prepare(folder / "prepare", targets=(CROSSING, DISTANCE))
    inputs = trained(folder / "prepare", folder / "train", members=2, join="fingerprints")
    stages = [folder / stage for stage in ("predict", "evaluate", "explain")]
    return predicted(Inputs(inputs.prepare, inputs.train, *stages))


@pytest.fixture(autouse=True)
def project(finished: Inputs, monkeypatch: pytest.MonkeyPatch) -> Inputs:
    monkeypatch.chdir(finished.prepare.parents[2])
    return finished


def applied(table: Path, *options: str) -> pd.DataFrame:
    out = table.parent / "out.csv"
    assert apply("screening", [str(table), "-o", str(out), *options], table.parent) == 0
    found = read_csv(out, text=("reason",))
    return found.assign(reason=found["reason"].fillna(""))


def test_it_says_what_predict_said_and_keeps_the_table(project: Inputs, tmp_path: Path) -> None:
    lines = [f'{k},"a, ""b"" é",{text},00{k}' for k, text in enumerate(LIBRARY)]
    (tmp_path / "t.csv").write_text("\n".join(["id,note,SMILES,code", *lines]), encoding="utf-8")
    found = applied(tmp_path / "t.csv")
    assert list(found)[:4] == ["id", "note", "SMILES", "code"] and set(found[4:]) >= set(ADDED)
    assert found["id"].tolist() == list(range(len(LIBRARY)))
    assert found["SMILES"].tolist() == LIBRARY and set(found["note"]) == {'a, "b" é'}
    assert ",001," in (tmp_path / "out.csv").read_text(encoding="utf-8")
    ranking, library = read_csv(project.predict / "ranking.csv"), read_library(project.prepare)
    scores = ranking.set_index("smiles")["score"].reindex(library["smiles"])
    pd.testing.assert_series_equal(
        found["crossing_score"], scores, check_index=False, check_names=False, rtol=2e-3
    )  # of other molecules beside it, in the bits that a processor computes with
    assert (found["reason"] != "").tolist() == (library["reason"] != "").tolist()


def test_the_domain_of_applicability_is_that_of_training_alone(project: Inputs) -> None:
    learnt = (read_molecules(project.prepare)["split"] == "train").sum()
    assert len(module.Scorer(project).training) == learnt


@pytest.mark.parametrize("note", ["a\rb", "a\nb", "a\r\nb", "a\r", 'a"\r\n"b', "plain"])
def test_a_field_with_line_ends_in_it_is_read_back(tmp_path: Path, note: str) -> None:
    table = pd.DataFrame({"note": [note, "last\r"], "smiles": ["CCO", "CCN"]})
    table.to_csv(tmp_path / "t.csv", index=False, quoting=csv.QUOTE_ALL)
    found = applied(tmp_path / "t.csv")
    assert found["note"].tolist() == [note, "last\r"]
    assert found["smiles"].tolist() == ["CCO", "CCN"] and (found["reason"] == "").all()
    assert b"reason\n" in (tmp_path / "out.csv").read_bytes()


BAD = {
    "": "no SMILES",
    "nan": "no SMILES",
    "inf": "not a SMILES",
    "nonsense": "not a SMILES",
    "C1CC": "not a SMILES",
    "CN(C)(C)C": "chemically impossible (valence or aromaticity)",
    "c1ccccc1:": "not a SMILES",
    "C[CH2]": "an unpaired electron",
    "C[Hg]C": "a metal atom",
    "O": "no carbon atom",
    "C*": "attachment point or query atom",
    "N" + "CC(=O)N" * 125 + "C": "more than 100 heavy atoms",
    "\udce9": "not UTF-8 text",
    "12.5": "not a SMILES",
    "CCO>>CC=O": "not a SMILES",
}


def test_a_bad_row_has_a_reason_and_the_rows_around_it_have_scores(tmp_path: Path) -> None:
    rows = [row for k, bad in enumerate(BAD) for row in (f"{2 * k},CCO", f'{2 * k + 1},"{bad}"')]
    text = "\ufeff" + "\n".join(["id,smiles", *rows])
    (tmp_path / "t.csv").write_bytes(text.encode("utf-8", errors="surrogateescape"))
    found = applied(tmp_path / "t.csv")
    assert found["id"].tolist() == list(range(2 * len(BAD)))
    good, bad = found[::2], found[1::2]
    assert bad["reason"].tolist() == list(BAD.values())
    assert bad[[name for name in ADDED if name != "reason"]].isna().all(axis=None)
    assert (good["reason"] == "").all() and good["crossing_score"].nunique() == 1
    assert good["crossing_score"].notna().all()


def test_what_was_scored_and_how_many_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.csv").write_text("smiles\nOCC\nCC(=O)[O-].[Na+]\nC[Hg]C\n")
    found = applied(tmp_path / "t.csv")
    assert found["scored_as"].fillna("").tolist() == ["CCO", "CC(=O)O", ""]
    outside = 2 - int(found["inside"].fillna(False).sum())
    said = f"3 rows: 2 scored, {outside} of them outside the domain of applicability"
    assert f"{said}; not scored: 1 a metal atom\n" in capsys.readouterr().out


def test_rows_that_are_no_rows_are_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('id,smiles\n1,CCO\n2,CCO,9\n3\n4,"CC\n5,CCN\n')
    found = applied(tmp_path / "t.csv")
    assert found["id"].tolist() == [1, 2, 3, 4, 5]
    assert (found["reason"] == "").tolist() == [True, False, False, False, True]
    assert found["reason"][1] == "another number of fields than the header"


@pytest.mark.parametrize("suffix", [".tsv", ".smi", ".sdf", ".csv.gz", ".parquet"])
def test_other_formats_give_the_same_scores(tmp_path: Path, suffix: str) -> None:
    from rdkit import Chem

    path, texts = tmp_path / f"t{suffix}", ["CCO", "c1ccccc1"]
    if suffix == ".sdf":
        with Chem.SDWriter(str(path)) as writer:
            for text in texts:
                writer.write(Chem.MolFromSmiles(text))
    elif suffix == ".csv.gz":
        path.write_bytes(gzip.compress(b"smiles\nCCO\nc1ccccc1\n"))
    elif suffix == ".parquet":
        pd.DataFrame({"smiles": texts}).to_parquet(path)
    else:
        path.write_text("smiles\tname\nCCO\ta\nc1ccccc1\tb\n")
    found = applied(path)["crossing_score"]
    (tmp_path / "plain.csv").write_text("smiles\nCCO\nc1ccccc1\n")
    assert found.tolist() == applied(tmp_path / "plain.csv")["crossing_score"].tolist()


def test_the_column_can_be_named_and_a_table_without_rows_stays_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.csv").write_text("a smiles,b smiles\nCCO,nonsense\n")
    assert applied(tmp_path / "t.csv", "--column", "a smiles")["reason"].tolist() == [""]
    assert not capsys.readouterr().err
    assert applied(tmp_path / "t.csv", "--column", "b smiles")["reason"].tolist() != [""]
    assert "column 'b smiles': no row can be scored" in capsys.readouterr().err
    (tmp_path / "none.csv").write_text("smiles,x\n")
    assert len(applied(tmp_path / "none.csv")) == 0


def test_mistakes_are_one_line_and_write_nothing(tmp_path: Path) -> None:
    texts = {
        "a.csv": ("id;name\n1;x\n", "no column is called smiles; set --column to one of 'id'"),
        "b.csv": ("smiles,reason\nCCO,x\n", "column 'reason': is one that is written; rename it"),
        "c.csv": ("smiles|x\nCCO|1\n", "part them by comma, semicolon or tab"),
        "d.csv": ("", "is empty"),
        "e.xlsx": ("PK", "a spreadsheet; save it as CSV"),
    }
    for name, (text, message) in texts.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(UserError, match=message):
            applied(tmp_path / name)
    with pytest.raises(UserError, match=r"no\.csv: not found"):
        applied(tmp_path / "no.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(texts)


def test_scores_do_not_depend_on_chunks_or_processes(tmp_path: Path, monkeypatch) -> None:
    lines = ["smiles", *LIBRARY * 8]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    whole = applied(tmp_path / "t.csv")
    monkeypatch.setattr(module, "CHUNK", 7)
    monkeypatch.setenv("SCISTAGE_THREADS", "2")
    pd.testing.assert_frame_equal(applied(tmp_path / "t.csv"), whole, rtol=2e-3)


def test_only_a_few_chunks_are_held_at_a_time(project: Inputs, monkeypatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 5)
    monkeypatch.setenv("SCISTAGE_THREADS", "2")
    read = 0

    def rows():
        nonlocal read
        for read in range(1, 201):
            yield Row(read, ["CCO"])

    scored = module.Scorer(project).scored(Table(["smiles"], rows()), 0)
    for k, part in enumerate(scored, 1):
        assert len(part) == 5 and read <= 5 * (k + 6)
    assert read == 200 and k == 40
