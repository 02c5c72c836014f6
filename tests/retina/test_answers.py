"""What is scored: one truth for all methods, one promise, all patients, and hardly any labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from domains.retina.evaluate import evaluate
from domains.retina.evaluate.answers import by_patient
from domains.retina.evaluate.params import EvaluateParams
from domains.retina.predict.tables import patient_table
from domains.retina.prepare.arrays import QUALITY, Eyes, Target, read_eyes
from domains.retina.prepare.card import _of_eyes
from pipelines.core.artifacts import read_csv, read_json, write_csv, write_json
from pipelines.core.contract import check_outputs
from pipelines.core.runner import Inputs
from tests.retina.answered import made_predict
from tests.retina.made import made_prepare

PARAMS = EvaluateParams(age_edges=[57.0], smallest_group=5, seed=0)


def inputs_in(folder: Path) -> Inputs:
    names = ("prepare", "train", "predict", "evaluate", "explain")
    return Inputs(**{name: folder / name for name in names})


def scores_of(inputs: Inputs) -> pd.DataFrame:
    inputs.evaluate.mkdir()
    evaluate(PARAMS, inputs, inputs.evaluate)
    check_outputs("evaluate", inputs.evaluate, "domains/retina/evaluate")
    return read_csv(inputs.evaluate / "scores.csv").set_index(["row", "metric", "group"])


def test_model_and_baselines_are_held_to_the_same_truth() -> None:
    """Labels of eyes: the model abstains from one eye, another is not usable."""
    targets = [Target("thickness", "value", "µm"), Target("glaucoma", "binary", "", "yes")]
    table = pd.DataFrame(
        {
            "split": "test",
            "patient": list("aabbccdd"),
            "usable": [True, True, True, False, False, False, True, True],
            "abstained": [False, True, False, True, True, True, False, False],
            **dict.fromkeys(QUALITY, 0.5),
            "thickness": [200.0, 300, 200, 300, 200, 300, 200, np.nan],
            "glaucoma": [0.0, 1, 1, 0, 1, 1, np.nan, 1],
            "thickness_mean": 250.0,
            "thickness_sd": 9.0,
            "glaucoma_probability": 0.5,
        }
    )
    said = patient_table(table, targets).set_index("patient")
    known = by_patient(Eyes(np.empty((8, 1, 1, 3), np.uint8), table, targets))
    for name in ("thickness", "glaucoma"):
        pd.testing.assert_series_equal(said[name], known[name])
    assert list(said["thickness"]) == [250, 200, 250, 200]
    # a's eyes differ: no patient's label; b's and d's differ only in what is not known or usable
    np.testing.assert_array_equal(said["glaucoma"], [np.nan, 1, 1, 1])


def test_a_label_that_differs_between_eyes_is_scored_by_photograph(
    tmp_path: Path,
) -> None:
    inputs = inputs_in(tmp_path)
    made_prepare(inputs.prepare, n=96)
    made_predict(inputs.predict, inputs.prepare, noise=0.3)
    before = scores_of(inputs)
    assert not _of_eyes(read_eyes(inputs.prepare))
    eyes = pd.read_csv(inputs.predict / "eyes.csv", dtype={"patient": str})
    asked = eyes[eyes["split"] == "test"]["patient"].unique()[:4]
    for folder, name in ((inputs.prepare, "eyes"), (inputs.predict, "eyes")):
        table = pd.read_csv(folder / f"{name}.csv", dtype={"patient": str})
        left = table["patient"].isin(asked) & (table["eye"] == "left")
        table.loc[left, "sex"] = 1 - table.loc[left, "sex"]
        write_csv(folder / f"{name}.csv", table)
    after = scores_of(Inputs(*(tmp_path / n for n in ("prepare", "train", "predict", "e", "x"))))
    photographs = before.loc["model, per eye", "sex_brier", "all"]["n"]
    assert photographs > before.loc["model", "sex_brier", "all"]["n"]
    for row in ("model", "mean", "ridge on colours"):
        assert after.loc[row, "sex_brier", "all"]["n"] == photographs, row
    assert np.isfinite(after.loc["model - ridge on colours", "sex_brier", "all"]["low"])
    assert ("model, per eye", "sex_auc", "all") not in after.index  # `model` is
    ages = [s.xs("all", level="group") for s in (before, after)]
    ages = [s[s.index.get_level_values("metric").str.startswith("age")] for s in ages]
    pd.testing.assert_frame_equal(*ages)
    [note] = _of_eyes(read_eyes(inputs.prepare))
    assert "sex is not the same in both eyes of" in note


def test_baselines_and_bounds_promise_what_the_model_promises(tmp_path: Path) -> None:
    inputs = inputs_in(tmp_path)
    made_prepare(inputs.prepare, n=240, size=8)
    widths = {}
    for coverage in (0.5, 0.9):
        made_predict(inputs.predict, inputs.prepare, coverage=coverage)
        part = Inputs(
            inputs.prepare, inputs.train, inputs.predict, tmp_path / str(coverage), tmp_path
        )
        scores = scores_of(part)
        for row in ("mean", "bayes", "oracle, regression on true anatomy"):
            widths[row, coverage] = scores.loc[row, "age_width", "all"]["value"]
            assert scores.loc[row, "age_coverage", "all"]["value"] == pytest.approx(
                coverage, abs=0.2
            )
    # Of a normal distribution the middle half is 0.41 of the middle nine tenths.
    assert widths["bayes", 0.5] / widths["bayes", 0.9] == pytest.approx(0.6745 / 1.6449, rel=1e-3)
    assert widths["mean", 0.5] < 0.7 * widths["mean", 0.9]


def test_one_class_among_the_test_patients_is_scored_as_far_as_it_goes(tmp_path: Path) -> None:
    inputs = inputs_in(tmp_path)
    made_prepare(inputs.prepare, n=48, cohort=False)
    table = pd.read_csv(inputs.prepare / "eyes.csv", dtype={"patient": str})
    table.loc[table["split"] == "test", "sex"] = 1
    write_csv(inputs.prepare / "eyes.csv", table)
    kept = [vars(t) for t in read_eyes(inputs.prepare).targets if t.name == "sex"]
    write_json(inputs.prepare / "targets.json", kept)
    made_predict(inputs.predict, inputs.prepare)
    scores = scores_of(inputs)
    assert (inputs.evaluate / "curves").is_dir()
    assert np.isfinite(scores.loc["model", "sex_brier", "all"]["value"])
    assert np.isnan(scores.loc["model", "sex_auc", "all"]["value"])  # a dash in the report
    assert read_json(inputs.evaluate / "metrics.json") == {}


def test_the_abstention_curve_ends_with_all_patients(tmp_path: Path) -> None:
    inputs = inputs_in(tmp_path)
    made_prepare(inputs.prepare, n=96)
    made_predict(inputs.predict, inputs.prepare, noise=0.3, refused=6)
    scores = scores_of(inputs)
    curve = read_csv(inputs.evaluate / "curves" / "age_mae_by_share_answered.csv")
    everybody = scores.loc["model, without abstaining", "age_mae", "all"]["value"]
    last = curve.iloc[-1]
    assert last["share_answered"] == 1
    for column in ("surest first", "sharpest first", "chance"):
        assert last[column] == pytest.approx(everybody, rel=1e-4)
    assert everybody > 1.5 * scores.loc["model", "age_mae", "all"]["value"]
