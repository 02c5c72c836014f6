"""Scores with known answers: what a perfect reader, the mean and a known slope must score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from domains.retina.evaluate import evaluate
from domains.retina.evaluate.answers import by_patient, with_intervals
from domains.retina.evaluate.colours import colour_features
from domains.retina.evaluate.groups import subgroups
from domains.retina.evaluate.measures import measure, rows_of
from domains.retina.evaluate.params import EvaluateParams
from domains.retina.prepare.arrays import Target, read_eyes
from pipelines.core.artifacts import read_csv, read_json
from pipelines.core.contract import check_outputs
from pipelines.core.randomness import generator
from pipelines.core.runner import Inputs
from pipelines.statistics.bootstrap import bounded, interval
from pipelines.statistics.resampling import weightings
from tests.retina.answered import made_predict
from tests.retina.made import made_prepare

AGE, SEX = Target("age", "value", "years"), Target("sex", "binary", "", "male")
PARAMS = EvaluateParams(age_edges=[57.0], smallest_group=5, seed=0)


def inputs_in(folder: Path) -> Inputs:
    names = ("prepare", "train", "predict", "evaluate", "explain")
    return Inputs(**{name: folder / name for name in names})


def run(folder: Path, **said: float | bool) -> pd.DataFrame:
    """Evaluate made-up answers about made-up eyes; scores.csv indexed by row, metric, group."""
    inputs = inputs_in(folder)
    made_prepare(inputs.prepare, n=96)
    made_predict(inputs.predict, inputs.prepare, **said)
    inputs.evaluate.mkdir()
    evaluate(PARAMS, inputs, inputs.evaluate)
    check_outputs("evaluate", inputs.evaluate, "domains/retina/evaluate")
    scores = read_csv(inputs.evaluate / "scores.csv")
    return scores.set_index(["row", "metric", "group"]).sort_index()


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("noisy")
    return folder, run(folder, noise=0.5)


def values(
    truth: np.ndarray, said: np.ndarray, half_width: float = 1.0, weights: Any = None
) -> dict[str, float]:
    """The measures of a value, one line a patient."""
    names = [f"p{k}" for k in range(len(truth))]
    table = pd.DataFrame({"patient": names, "age": truth, "age_mean": said})
    table = table.assign(age_low=said - half_width, age_high=said + half_width)
    rows = rows_of(table, AGE, {name: k for k, name in enumerate(names)})
    found = measure(rows, AGE, np.ones((1, len(truth))) if weights is None else weights)
    return {name: float(value[0]) for name, value in found.items()}


def test_a_perfect_reader_is_perfect(tmp_path: Path) -> None:
    scores = run(tmp_path, noise=0.0)
    for name in ("age", "systolic"):
        assert scores.loc["model", f"{name}_mae", "all"]["value"] == 0
        for what in ("r2", "slope", "shrinkage", "coverage"):
            assert scores.loc["model", f"{name}_{what}", "all"]["value"] == pytest.approx(1)
        gap = scores.loc["model - mean", f"{name}_mae", "all"]
        assert gap["high"] < 0
    assert scores.loc["model", "sex_auc", "all"]["value"] == 1
    assert scores.loc["model", "sex_brier", "all"]["value"] == 0


def test_the_mean_knows_nothing(noisy: tuple[Path, pd.DataFrame]) -> None:
    scores = noisy[1].loc["mean"]
    assert -0.3 < scores.loc["age_r2", "all"]["value"] <= 0
    assert scores.loc["age_shrinkage", "all"]["value"] == pytest.approx(0, abs=1e-9)
    assert "age_slope" not in scores.index.get_level_values(0)  # a constant has none
    assert scores.loc["sex_auc", "all"]["value"] == 0.5
    eyes = by_patient(read_eyes(noisy[0] / "prepare"))
    asked = read_csv(noisy[0] / "predict" / "patients.csv", text=("patient",))
    asked = asked[(asked["split"] == "test") & ~asked["abstained"]]["patient"]
    expected = (eyes.loc[asked, "age"] - eyes[eyes["split"] == "train"]["age"].mean()).abs()
    assert scores.loc["age_mae", "all"]["value"] == pytest.approx(expected.mean(), rel=1e-5)


def test_a_known_slope_is_found() -> None:
    rng = generator(1)
    truth = rng.normal(57, 8, 20_000)
    shrunk = values(truth, 57 + 0.25 * (truth - 57))
    assert shrunk["slope"] == pytest.approx(4) and shrunk["shrinkage"] == pytest.approx(0.25)
    # The best reading of truth + noise of the same variance is half of it: it means what it
    # says, regresses to the mean by a half, and explains a half.
    best = values(truth, 57 + 0.5 * (truth - 57 + rng.normal(0, 8, len(truth))))
    assert best["slope"] == pytest.approx(1, abs=0.03)
    assert best["shrinkage"] == pytest.approx(0.5, abs=0.02)
    assert best["r2"] == pytest.approx(0.5, abs=0.02)
    assert values(truth, truth + 3)["bias"] == pytest.approx(3)
    assert values(truth, truth + 3)["rmse"] == pytest.approx(3)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_a_spread_that_is_only_rounding_is_none(unit: float) -> None:
    """As where the bootstrap leaves out the one patient who differs."""
    truth = unit * np.array([63.3] * 6 + [50.1])
    found = values(truth, truth + unit, weights=np.array([[1.0] * 6 + [0.0]]))
    assert np.isnan([found["r2"], found["slope"], found["shrinkage"]]).all()
    assert found["mae"] == pytest.approx(unit)
    all_of_them = values(truth, truth + unit)
    assert all_of_them["slope"] == pytest.approx(1) and 0.9 < all_of_them["r2"] < 1


def test_coverage_of_a_known_interval() -> None:
    truth = generator(2).normal(0, 1, 20_000)
    found = values(truth, np.zeros_like(truth), half_width=1.6449)
    assert found["coverage"] == pytest.approx(0.9, abs=0.007)
    assert found["width"] == pytest.approx(2 * 1.6449)
    assert values(truth, np.zeros_like(truth), half_width=1.0)["coverage"] < 0.7


def test_the_baselines_intervals_cover_what_they_promise() -> None:
    rng = generator(3)
    splits = np.repeat(["validation", "test"], [1000, 4000])
    table = pd.DataFrame({"split": splits, "age": rng.gumbel(57, 8, 5000), "age_mean": 60.0})
    table = with_intervals(table, AGE, 0.9)
    inside = table["age"].between(table["age_low"], table["age_high"])
    assert inside[splits == "test"].mean() == pytest.approx(0.9, abs=0.025)


def test_auc_is_the_usual_one_ties_and_weights_included() -> None:
    rng = generator(4)
    truth, said = rng.integers(0, 2, 60).astype(float), rng.integers(0, 6, 60) / 5
    names = [f"p{k // 2}" for k in range(60)]  # two lines a patient
    table = pd.DataFrame({"patient": names, "sex": truth, "sex_probability": said})
    rows = rows_of(table, SEX, {f"p{k}": k for k in range(30)})
    weights = rng.integers(0, 3, (5, 30)).astype(float)
    found = measure(rows, SEX, weights)["auc"]
    for weight, auc in zip(weights, found, strict=True):
        assert auc == pytest.approx(roc_auc_score(truth, said, sample_weight=weight.repeat(2)))


def test_intervals_are_those_of_the_shared_bootstrap() -> None:
    rng = generator(5)
    error, n = rng.gamma(1.0, 4.0, 150), 150
    theirs = interval(lambda e: e.mean(-1), error, seed=0)
    drawn = np.concatenate([w @ error / w.sum(axis=1) for w in weightings(n, 0)])
    ours = bounded(drawn, n)
    assert ours.value == pytest.approx(theirs.value)
    width = theirs.high - theirs.low
    assert abs(ours.low - theirs.low) < 0.05 * width
    assert abs(ours.high - theirs.high) < 0.05 * width
    # Skewed errors: BCa must lie above the percentiles, or it has not been applied.
    assert ours.high > np.quantile(drawn[1 + n :], 0.975)


def test_intervals_over_patients_are_wider_than_over_eyes() -> None:
    """Two eyes of a patient that err alike are one piece of evidence."""
    error = np.repeat(generator(6).normal(10, 4, 80), 2)
    patient = np.arange(160) // 2

    def width(code: np.ndarray, n: int) -> float:
        sums = np.bincount(code, error, minlength=n), np.bincount(code, minlength=n)
        drawn = np.concatenate([(w @ sums[0]) / (w @ sums[1]) for w in weightings(n, 0)])
        found = bounded(drawn, n)
        return found.high - found.low

    assert width(patient, 80) > 1.25 * width(np.arange(160), 160)


def test_coverage_has_the_binomial_interval(noisy: tuple[Path, pd.DataFrame]) -> None:
    line = noisy[1].loc["model", "age_coverage", "all"]
    inside = round(line["value"] * line["n"])
    low = stats.beta.ppf(0.025, inside, line["n"] - inside + 1)
    assert line["low"] == pytest.approx(low, rel=1e-4)


def test_bayes_and_truth_are_bounds_and_better_than_a_poor_model(
    noisy: tuple[Path, pd.DataFrame],
) -> None:
    scores = noisy[1]
    assert "oracle, regression on true anatomy" in scores.index.get_level_values(0)
    share = scores.loc["model", "age_r2_of_bayes", "all"]["value"]
    r2 = [scores.loc[row, "age_r2", "all"]["value"] for row in ("model", "bayes")]
    assert share == pytest.approx(r2[0] / r2[1], rel=1e-4)


def test_ridge_learns_what_colours_tell(noisy: tuple[Path, pd.DataFrame]) -> None:
    """In the made-up pictures brightness tells age and pressure, and nothing tells BMI."""
    ridge = noisy[1].loc["ridge on colours"]
    assert ridge.loc["age_r2", "all"]["value"] > 0.5
    assert ridge.loc["bmi_r2", "all"]["value"] < 0.3
    rules = read_json(noisy[0] / "evaluate" / "baselines.json")["ridge on colours"]
    assert set(rules) == {"age", "systolic", "bmi", "sex", "smoking"}


def test_groups_part_the_patients(tmp_path: Path) -> None:
    eyes = read_eyes(made_prepare(tmp_path, n=96))
    table = by_patient(eyes)
    asked = pd.Series(table.index[table["split"] == "test"])
    groups = subgroups(asked, eyes, [50.0, 60.0], 2)
    assert groups["all"] == asked.tolist()
    assert sorted(groups["male"] + groups["female"]) == sorted(groups["all"])
    assert all(table.loc[p, "sex"] == 1 for p in groups["male"])
    bands = ("age under 50", "age 50 to under 60", "age 60 and over")
    assert sum(len(groups[band]) for band in bands) == len(asked)
    thirds = [name for name in groups if "third" in name]
    assert sum(len(groups[name]) for name in thirds) == len(asked) and len(thirds) == 3
    assert set(subgroups(asked, eyes, [50.0, 60.0], 1000)) == {"all"}


def test_subgroup_scores_are_those_of_its_patients(noisy: tuple[Path, pd.DataFrame]) -> None:
    folder, scores = noisy
    said = read_csv(folder / "predict" / "patients.csv", text=("patient",))
    men = said[(said["split"] == "test") & ~said["abstained"] & (said["sex"] == 1)]
    line = scores.loc["model", "systolic_mae", "male"]
    assert line["n"] == len(men)
    expected = (men["systolic"] - men["systolic_mean"]).abs().mean()
    assert line["value"] == pytest.approx(expected, rel=1e-5)


def test_what_the_model_refuses_is_left_out_and_told(tmp_path: Path) -> None:
    scores = run(tmp_path, noise=0.3, refused=6)
    answered = scores.loc["model", "age_mae", "all"]
    everybody = scores.loc["model, without abstaining", "age_mae", "all"]
    assert answered["n"] == everybody["n"] - 6
    assert scores.loc["mean", "age_mae", "all"]["n"] == answered["n"]
    assert everybody["value"] > answered["value"]  # the helper errs by 40 years on these


def test_missing_labels_are_no_patients(tmp_path: Path) -> None:
    inputs = inputs_in(tmp_path)
    made_prepare(inputs.prepare, n=96, missing=0.4)
    made_predict(inputs.predict, inputs.prepare, noise=0.3)
    evaluate(PARAMS, inputs, inputs.evaluate)
    scores = read_csv(inputs.evaluate / "scores.csv").set_index(["row", "metric", "group"])
    few, all_of_them = (scores.loc["model", f"{t}_mae", "all"]["n"] for t in ("systolic", "age"))
    assert 0 < few < all_of_them
    assert not scores["value"].isna().any()


def test_real_photographs_have_no_bounds_and_the_same_bytes_come_twice(tmp_path: Path) -> None:
    inputs = inputs_in(tmp_path)
    made_prepare(inputs.prepare, n=48, cohort=False)
    made_predict(inputs.predict, inputs.prepare, noise=0.3)
    for name in ("a", "b"):
        evaluate(PARAMS, inputs, tmp_path / name)
    scores = read_csv(tmp_path / "a" / "scores.csv")
    assert not scores["row"].str.contains("bayes|oracle").any()
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    assert len(files) > 5
    assert all(
        (tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files
    )


def test_colour_features_see_colour_and_not_what_is_outside_the_field() -> None:
    rng = generator(8)
    image = rng.integers(90, 130, (2, 32, 32, 3)).astype(np.uint8)
    image[1] = image[0]
    image[1, ..., 0] += 40
    image[:, :6] = 0
    same, redder = colour_features(image)
    assert np.isfinite(same).all()
    assert redder[0] - same[0] == pytest.approx(40, abs=1e-3)
    assert redder[1:3] == pytest.approx(same[1:3])
