"""ODIR-5K: its table, what is read from the keywords, and patients who are in it twice."""

import csv
from pathlib import Path

import pandas as pd
import pytest

from domains.retina.prepare import card, odir, prepare
from domains.retina.prepare.arrays import FOUND, Target, read_eyes
from domains.retina.prepare.check import check
from pipelines.core.artifacts import read_json
from pipelines.core.contract import check_outputs
from pipelines.core.errors import UserError
from tests.retina.cases import params, photographs


def test_findings_of_odir_are_targets_where_enough_eyes_have_them(tmp_path: Path) -> None:
    given = {
        "normal fundus": 60,
        "moderate non proliferative retinopathy，glaucoma": 50,
        "cataract": 49,
        "low image quality，glaucoma": 5,
    }
    keywords = [text for text, count in given.items() for _ in range(count)]
    lines = ["patient_id,eye,image,age,sex,keywords"]
    lines += [f"{k},left,{k}.jpg,{20 + k % 60},M,{text}" for k, text in enumerate(keywords)]
    (tmp_path / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    found = odir.listed(params(source="odir", path=str(tmp_path)))
    names = ["age", "sex", "normal", "diabetic_retinopathy", "glaucoma"]
    assert [target.name for target in found.targets] == names
    assert found.table[names[2:]].sum().tolist() == [60, 50, 50]
    assert found.excluded[-1]["count"] == 5


def test_men_of_odir_are_the_positive_ones(tmp_path: Path) -> None:
    lines = ["patient_id,eye,image,age,sex,keywords"]
    lines += [f"{k},left,{k}.jpg,50,{sex},normal fundus" for k, sex in enumerate("MFF")]
    (tmp_path / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    found = odir.listed(params(source="odir", path=str(tmp_path)))
    assert found.table["sex"].tolist() == [1, 0, 0]
    assert next(t.positive for t in found.targets if t.name == "sex") == "male"


def test_minors_of_odir_are_left_out(tmp_path: Path) -> None:
    lines = ["patient_id,eye,image,age,sex,keywords"]
    lines += [f"{k},left,{k}.jpg,{age},M,normal fundus" for k, age in enumerate((1, 17, 18, 60))]
    (tmp_path / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    found = odir.listed(params(source="odir", path=str(tmp_path)))
    assert found.table["age"].tolist() == [18, 60]
    assert found.excluded[0]["count"] == 2


def test_each_finding_is_counted_on_the_card() -> None:
    names = ["normal", "glaucoma"]
    rows = [("a", 1, 0), ("a", 1, 0), ("b", 1, 0), ("c", 0, 1)]
    table = pd.DataFrame(rows, columns=["patient", *names]).assign(usable=True)
    counts = card._counts(table, [Target(name, "binary", positive=FOUND) for name in names])
    assert counts == {
        "eyes": 4,
        "patients": 3,
        "unusable": 0,
        "normal = found": 2,
        "glaucoma = found": 1,
    }


def test_the_same_photograph_of_two_patients_is_joined_where_nobody_can_mend_the_table(
    tmp_path: Path,
) -> None:
    table = photographs(tmp_path / "images", patients=24)
    lines = ["patient_id,eye,image,age,sex,keywords"]
    for name, patient, eye, age, sex in csv.reader(table.read_text().splitlines()[1:]):
        lines.append(f"{patient},{eye},{name},{age},{sex},normal fundus")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    for k in range(0, 24, 2):  # as in ODIR: the very same file under another number
        copied = (tmp_path / f"images/{k:03d}_left.png").read_bytes()
        (tmp_path / f"images/{k + 1:03d}_left.png").write_bytes(copied)
    folder = tmp_path / "out"
    folder.mkdir()
    prepare(params(source="odir", path=str(tmp_path)), None, folder)
    check_outputs("prepare", folder, "domains/retina/prepare")
    split = read_eyes(folder).table.groupby("patient")["split"].first()
    assert all(split[f"{k:03d}"] == split[f"{k + 1:03d}"] for k in range(0, 24, 2))
    assert "000 and 001" in " ".join(read_json(folder / "card.json")["notes"])


def test_odir_without_a_folder_says_where_it_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SCISTAGE_DATA_MIRROR", raising=False)
    with pytest.raises(UserError, match=r"set prepare\.path to the folder"):
        check(params(source="odir"))
    with pytest.raises(UserError, match=r"holds no labels\.csv"):
        check(params(source="odir", path=str(tmp_path)))
    header = "patient_id,eye,image,age,sex,keywords"
    (tmp_path / "labels.csv").write_text(f"{header}\n1,left,1.jpg,old,M,normal fundus\n")
    with pytest.raises(UserError, match=r"line 2: age 'old', sex 'M'"):
        check(params(source="odir", path=str(tmp_path)))
    (tmp_path / "labels.csv").write_text(f"{header}\n1,left,1.jpg,60,M,normal fundus\n")
    with pytest.raises(UserError, match=r"images/1\.jpg: not found"):
        check(params(source="odir", path=str(tmp_path)))
