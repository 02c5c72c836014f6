"""The stage as a whole: what it writes, the same each time, each patient in one split."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from domains.retina.prepare import prepare
from domains.retina.prepare.arrays import (
    MASKS,
    SPLITS,
    Target,
    read_anatomy,
    read_eyes,
    read_truth,
)
from domains.retina.prepare.check import check
from domains.retina.prepare.cohort import Cohort, eyes, read_cohort
from domains.retina.prepare.field import field_of_view, prepared
from domains.retina.prepare.render import masks, render
from domains.retina.prepare.split import split_patients
from domains.retina.prepare.twins import joined, same_eyes, summary
from pipelines.core.artifacts import read_csv, read_json
from pipelines.core.contract import check_outputs
from tests.retina.cases import noise, params, photographs
from tests.retina.made import made_prepare


def _prepared(out: Path, **changed: Any) -> Path:
    out.mkdir()
    prepare(params(**changed), None, out)  # type: ignore[arg-type]
    check_outputs("prepare", out, "domains/retina/prepare")
    return out


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _prepared(tmp_path_factory.mktemp("cohort") / "prepare")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    table = photographs(folder / "data")
    return _prepared(folder / "prepare", source="csv", path=str(table))


def test_every_file_is_the_same_when_written_again(cohort: Path, tmp_path: Path) -> None:
    again = _prepared(tmp_path / "again")
    names = sorted(path.name for path in cohort.iterdir())
    assert names == sorted(path.name for path in again.iterdir())
    for name in names:
        assert (cohort / name).read_bytes() == (again / name).read_bytes(), name


def test_the_number_of_processes_changes_nothing(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domains.retina.prepare.generated.CHUNK", 5)
    monkeypatch.setenv("SCISTAGE_THREADS", "2")
    again = _prepared(tmp_path / "again")
    assert (cohort / "images.npy").read_bytes() == (again / "images.npy").read_bytes()
    assert (cohort / "eyes.csv").read_bytes() == (again / "eyes.csv").read_bytes()


def test_another_seed_gives_other_eyes(cohort: Path, tmp_path: Path) -> None:
    other = _prepared(tmp_path / "other", seed=1)
    assert (cohort / "eyes.csv").read_bytes() != (other / "eyes.csv").read_bytes()


@pytest.mark.parametrize("which", ["cohort", "own"])
def test_both_eyes_of_a_patient_are_in_one_split(
    which: str, request: pytest.FixtureRequest
) -> None:
    table = read_eyes(request.getfixturevalue(which)).table
    assert (table.groupby("patient")["split"].nunique() == 1).all()
    assert set(table["split"]) == set(SPLITS)
    assert table["usable"][table["split"] != "test"].all()


def test_rows_of_pictures_tables_and_truth_belong_together(cohort: Path) -> None:
    found, anatomy, truth = read_eyes(cohort), read_anatomy(cohort), read_truth(cohort)
    drawn = read_cohort(cohort)
    assert drawn is not None and anatomy is not None and truth is not None
    assert len(found) == len(found.images) == len(anatomy)
    for row in (0, len(found) - 1):
        line = found.table.iloc[row]
        person = drawn.named(line["patient"])
        eye = eyes(person)[("left", "right").index(line["eye"])]
        assert np.array_equal(render(eye, 48), found.images[row])
        assert anatomy["crae_um"][row] == pytest.approx(eye.anatomy["crae_um"], rel=1e-5)
        assert line["age"] == pytest.approx(person.factors["age"], rel=1e-5)
    true = masks(eye, 48)
    assert truth["rows"][-1] == len(found) - 1
    assert all(np.array_equal(truth[name][-1], true[name]) for name in MASKS)


def test_splits_are_read_alone_and_in_order(cohort: Path) -> None:
    whole, part = read_eyes(cohort), read_eyes(cohort, ["validation", "test"])
    rows = np.flatnonzero(whole.table["split"] != "train")
    assert np.array_equal(part.images, whole.images[rows])
    assert part.table["image"].tolist() == whole.table["image"].iloc[rows].tolist()
    anatomy = read_anatomy(cohort, ["validation", "test"])
    assert anatomy is not None and len(anatomy) == len(rows)
    ends = read_eyes(cohort, ["train", "test"])
    assert len(ends) == len(ends.images) == (whole.table["split"] != "validation").sum()


def test_the_best_reader_and_the_effects_are_written(cohort: Path) -> None:
    bayes = read_csv(cohort / "bayes.csv", text=("patient",))
    assert len(bayes) == 12 and bayes.notna().all().all()
    assert set(bayes["split"]) == set(SPLITS)
    assert bayes["smoking_probability"].between(0, 1).all()
    effects = read_json(cohort / "effects.json")
    assert effects["slopes"]["crae_um"]["systolic"] == pytest.approx(-0.274 * 5)
    assert not any(effects["slopes"]["cup_disc"].values())
    card = read_json(cohort / "card.json")
    assert card["description"].startswith("Synthetic data")
    assert "to beat it is a mistake" in card["notes"][0]


def test_a_shortcut_is_planted_only_on_request_and_said_on_the_card(tmp_path: Path) -> None:
    folder = _prepared(tmp_path / "false", shortcut=True)
    notes = " ".join(read_json(folder / "card.json")["notes"])
    assert "false cue" in notes and "best reader of the anatomy alone" in notes
    assert "to beat it is a mistake" not in notes
    drawn = read_cohort(folder)
    assert drawn is not None and drawn.shortcut


def test_a_table_of_ones_own_becomes_the_same_arrays(own: Path) -> None:
    found = read_eyes(own)
    assert found.images.shape[1:] == (48, 48, 3)
    assert found.targets == [Target("age", "value", "years"), Target("sex", "binary", "", "M")]
    assert set(found.table["eye"]) == {"left", "right"}
    assert found.table["patient"].str.fullmatch(r"\d{3}").all()  # 007 stays 007
    assert read_anatomy(own) is None and read_truth(own) is None and read_cohort(own) is None
    card = read_json(own / "card.json")
    assert not card["synthetic"] and len(card["source"]["files"]) == 29


def test_missing_values_stay_missing(tmp_path: Path) -> None:
    table = photographs(tmp_path / "data")
    lines = table.read_text().splitlines()
    lines[1] = lines[1].replace(f",{lines[1].split(',')[3]},", ",,")
    table.write_text("\n".join(lines))
    found = read_eyes(_prepared(tmp_path / "out", source="csv", path=str(table)))
    assert found.table["age"].isna().sum() == 1


def test_a_picture_without_a_field_is_left_out_and_a_blank_one_is_marked(tmp_path: Path) -> None:
    table = photographs(tmp_path / "data", patients=20)
    Image.fromarray(np.zeros((70, 84, 3), dtype=np.uint8)).save(tmp_path / "data/003_left.png")
    for k in range(20):  # one eye of everybody is blank, so that some are in the test
        blank = np.full((80, 80, 3), 100 + k, dtype=np.uint8)
        Image.fromarray(blank).save(tmp_path / f"data/{k:03d}_right.png")
    folder = _prepared(tmp_path / "out", source="csv", path=str(table))
    found = read_eyes(folder).table
    assert "003_left.png" not in set(found["image"])
    assert (found["usable"] == (found["eye"] == "left")).all(), found[["eye", "blur", "field"]]
    assert set(found["split"][~found["usable"]]) == {"test"}
    why = {one["why"]: one["count"] for one in read_json(folder / "card.json")["excluded"]}
    assert why["no field of view found"] == 1 and len(why) == 2


def test_the_split_keeps_shares_in_every_band_of_age_and_sex() -> None:
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"age": rng.normal(57, 8, 600), "sex": rng.integers(0, 2, 600)})
    people["group"] = [f"{k}" for k in range(600)]
    table = people.loc[people.index.repeat(2)].reset_index(drop=True)
    targets = [Target("age", "value"), Target("sex", "binary", positive="male")]
    table["split"] = split_patients(table, targets, [0.7, 0.1, 0.2], seed=4)
    assert (table.groupby("group")["split"].nunique() == 1).all()
    for _, part in table.groupby([table["sex"], pd.qcut(table["age"], 5)], observed=True):
        shares = part["split"].value_counts(normalize=True)
        assert shares["train"] == pytest.approx(0.7, abs=0.06)
        assert shares["test"] == pytest.approx(0.2, abs=0.06)
    shuffled = table.sample(frac=1, random_state=1)
    again = split_patients(shuffled, targets, [0.7, 0.1, 0.2], seed=4)
    assert again.sort_index().equals(table["split"].rename("group"))
    assert not split_patients(table, targets, [0.7, 0.1, 0.2], seed=5).equals(again.sort_index())


def test_a_person_with_two_numbers_is_found_though_photographed_again(tmp_path: Path) -> None:
    drawn = [eyes(Cohort(0, 1.0).person(k))[0] for k in range(1, 41)]
    first = drawn[4].camera
    moved = first.shift_x_mm + 0.07
    camera = dataclasses.replace(first, gain=0.8, warmth=1.5, shift_x_mm=moved, noise=2.0)
    again = dataclasses.replace(drawn[4], camera=camera)
    pictures = [render(eye, 128) for eye in [*drawn, again]]
    summaries = np.stack([summary(picture) for picture in pictures])
    patients = [f"p{k}" for k in range(41)]
    assert same_eyes(summaries, patients, pictures.__getitem__) == [(4, 40)]
    assert same_eyes(summaries, ["p"] * 41, pictures.__getitem__) == []
    assert joined(patients, [(4, 40)])[40] == "p4"


def test_a_person_with_two_numbers_is_in_one_split_and_on_the_card(tmp_path: Path) -> None:
    table = photographs(tmp_path / "data", patients=24)
    for k in range(0, 24, 2):  # the eyes of k once more, a little darker, as those of k + 1
        for side in ("left", "right"):
            picture = np.array(Image.open(tmp_path / f"data/{k:03d}_{side}.png"))
            darker = Image.fromarray((picture * 0.9).astype(np.uint8))
            darker.save(tmp_path / f"data/{k + 1:03d}_{side}.png")
    folder = _prepared(tmp_path / "out", source="csv", path=str(table))
    split = read_eyes(folder).table.groupby("patient")["split"].first()
    assert all(split[f"{k:03d}"] == split[f"{k + 1:03d}"] for k in range(0, 24, 2))
    assert "000 and 001" in " ".join(read_json(folder / "card.json")["notes"])


def test_failed_photographs_of_two_patients_are_not_taken_for_one(tmp_path: Path) -> None:
    table = photographs(tmp_path / "data", patients=20)
    for k in (3, 8):
        black = Image.fromarray(np.zeros((70, 84, 3), dtype=np.uint8))
        black.save(tmp_path / f"data/{k:03d}_left.png")
    folder = _prepared(tmp_path / "out", source="csv", path=str(table))
    why = {one["why"]: one["count"] for one in read_json(folder / "card.json")["excluded"]}
    assert why["no field of view found"] == 2
    assert {"003", "008"} <= set(read_eyes(folder).table["patient"])  # by their other eyes


def test_the_field_is_found_wherever_it_lies() -> None:
    picture = np.zeros((90, 140, 3), dtype=np.uint8)
    y, x = np.indices((90, 140))
    disc = (y - 40.0) ** 2 + (x - 71.0) ** 2 <= 50.0**2  # cut off above, as cameras do
    picture[disc] = noise(90, 140)[disc]
    picture[80:84, 4:9] = 255  # a letter in the corner
    found = field_of_view(picture)
    assert found is not None
    assert found[1] == pytest.approx(71, abs=1.5) and found[2] == pytest.approx(101, abs=3)
    small = prepared(picture, 50)
    assert small is not None and small[25, 25].any() and not small[0].any()
    assert prepared(np.full((60, 60, 3), 3, dtype=np.uint8), 50) is None


def test_the_made_up_folder_of_the_tests_is_as_the_stage_writes_it(
    cohort: Path, tmp_path: Path
) -> None:
    made = made_prepare(tmp_path / "made")
    for name in ("eyes.csv", "bayes.csv"):
        columns = [list(read_csv(folder / name).columns) for folder in (made, cohort)]
        assert columns[0] == columns[1], name
    assert read_json(made / "targets.json") == read_json(cohort / "targets.json")
    assert set(read_json(made / "effects.json")["slopes"]) == set(
        read_json(cohort / "effects.json")["slopes"]
    )


def _mirror() -> Path | None:
    mirror = os.environ.get("SCISTAGE_DATA_MIRROR", "")
    folder = Path(mirror) / "odir"
    return folder if mirror and (folder / "labels.csv").is_file() else None


@pytest.mark.skipif(_mirror() is None, reason="SCISTAGE_DATA_MIRROR has no odir/ with photographs")
def test_odir_keeps_adults_and_what_shows_a_fundus(tmp_path: Path) -> None:
    from domains.retina.prepare.odir import listed

    found = listed(params(source="odir"))
    assert found.table["age"].min() >= 18
    assert sum(one["count"] for one in found.excluded) + len(found.table) == 4615
    assert len(check(params(source="odir"))) == len(found.table) + 1
