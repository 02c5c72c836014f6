"""The evaluate stage: what methods must score, what they may know, and what is told of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from domains.screening.evaluate import evaluate
from domains.screening.evaluate.answers import read_predictions
from domains.screening.evaluate.baselines import (
    FOREST,
    LINEAR,
    MEAN,
    NEAREST,
    _standardised,
    baseline_answers,
    tanimoto,
)
from domains.screening.evaluate.groups import subgroups
from domains.screening.evaluate.measures import measure, rows_of
from domains.screening.evaluate.params import EvaluateParams
from domains.screening.evaluate.published import published_rows
from domains.screening.prepare.arrays import read_targets
from domains.screening.prepare.known import DATASETS
from pipelines.core.artifacts import read_csv, read_json
from pipelines.core.contract import check_outputs
from pipelines.core.randomness import generator
from pipelines.core.runner import Inputs
from pipelines.statistics.bootstrap import bounded
from pipelines.statistics.resampling import weightings
from tests.screening.chain import ACTIVE, LOGS, answered, has_nitro, molecules, prepared, trained

SMILES = molecules()
PARAMS = EvaluateParams(trees=20, similarity_edges=[0.5], smallest_group=20, seed=0)


def run(inputs: Inputs) -> pd.DataFrame:
    """scores.csv indexed by row, metric, group."""
    inputs.evaluate.mkdir()
    evaluate(PARAMS, inputs, inputs.evaluate)
    check_outputs("evaluate", inputs.evaluate, "domains/screening/evaluate")
    scores = read_csv(inputs.evaluate / "scores.csv")
    assert not scores["value"].isna().any()
    return scores.set_index(["row", "metric", "group"]).sort_index()


def logs() -> np.ndarray:
    return np.array([len(text) / 10 - 2 * text.count("O") for text in SMILES])


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Inputs, pd.DataFrame]:
    """A class that fingerprints tell, and answers that know it roughly."""
    inputs = prepared(tmp_path_factory.mktemp("noisy"), SMILES, {ACTIVE: has_nitro(SMILES)})
    answered(inputs, noise=0.6)
    return inputs, run(inputs)


def test_a_perfect_model_is_perfect_and_its_difference_is_told(tmp_path: Path) -> None:
    truth = (generator(1).random(len(SMILES)) < 0.3).astype(float)  # nobody can learn it
    inputs = prepared(tmp_path, SMILES, {ACTIVE: truth})
    answered(inputs, noise=0.0)
    scores = run(inputs)
    assert scores.loc[("model", "roc_auc", "all"), "value"] == 1
    gap = scores.loc[("model - random forest", "roc_auc", "all")]
    assert 0.3 < gap["low"] < gap["high"]
    # y-scrambling of the baselines: the interval holds one half.
    for name in (FOREST, LINEAR, NEAREST):
        line = scores.loc[(name, "roc_auc", "all")]
        assert line["low"] < 0.5 < line["high"], name


def test_scores_are_those_of_the_test_molecules(noisy: tuple[Inputs, pd.DataFrame]) -> None:
    inputs, scores = noisy
    said = read_predictions(inputs.predict)
    test = said[said["split"] == "test"]
    for group, rows in (
        ("all", test),
        ("similarity 0.5 and over", test[test["similarity"] >= 0.5]),
    ):
        line = scores.loc[("model", "roc_auc", group)]
        assert line["value"] == pytest.approx(roc_auc_score(rows["active"], rows["active_score"]))
        assert line["n"] == len(rows)
        assert line["low"] < line["value"] < line["high"]
    assert set(read_json(inputs.evaluate / "metrics.json")) > {"roc_auc", "average_precision"}
    metrics = set(scores.loc["model"].index.get_level_values("metric"))
    assert metrics == set(scores.loc[FOREST].index.get_level_values("metric"))


def test_the_calibration_error_has_no_interval(noisy: tuple[Inputs, pd.DataFrame]) -> None:
    """A bootstrap's draws lie above it, where the true one does not: it is biased upwards."""
    for name in ("model", FOREST):
        line = noisy[1].loc[(name, "calibration_error", "all")]
        assert line["value"] > 0 and np.isnan(line["low"]) and np.isnan(line["high"])
    assert not any("calibration_error" in key and " - " in key[0] for key in noisy[1].index)


def test_baselines_learn_what_fingerprints_tell(noisy: tuple[Inputs, pd.DataFrame]) -> None:
    for name in (FOREST, LINEAR, NEAREST):
        assert noisy[1].loc[(name, "roc_auc", "all"), "value"] > 0.9, name
    both = noisy[1].loc[("model + forest", "roc_auc", "all"), "value"]
    assert both > noisy[1].loc[("model", "roc_auc", "all"), "value"]
    assert ("model + forest - random forest", "brier", "all") in noisy[1].index
    assert MEAN not in noisy[1].index.get_level_values("row")


def test_baselines_know_no_label_of_the_test(noisy: tuple[Inputs, pd.DataFrame]) -> None:
    folder, asked = noisy[0].prepare, read_predictions(noisy[0].predict)
    targets = read_targets(folder)
    other = asked.assign(active=asked["active"].where(asked["split"] != "test", 0.0))
    first, second = (
        baseline_answers(folder, table, targets, 0.9, 20, 0)[0] for table in (asked, other)
    )
    for name, table in first.items():
        np.testing.assert_array_equal(table["active_score"], second[name]["active_score"])


def test_descriptors_have_the_scale_of_the_molecules_learnt_from() -> None:
    table = np.random.default_rng(0).normal(size=(8, 3))
    ours, theirs = (_standardised(np.r_[table[:5], table[5:] + by], 5)[:5] for by in (0, 2))
    np.testing.assert_array_equal(ours, theirs)


def test_values_missing_labels_and_several_targets(tmp_path: Path) -> None:
    truth = logs()
    unknown = generator(2).random(len(truth)) < 0.3
    labels = {LOGS: np.where(unknown, np.nan, truth), ACTIVE: has_nitro(SMILES)}
    inputs = prepared(tmp_path, SMILES, labels)
    answered(inputs, noise=0.5)
    scores = run(inputs)
    few, everybody = (scores.loc[("model", m, "all"), "n"] for m in ("logs_mae", "active_roc_auc"))
    assert few < 0.8 * everybody
    assert scores.loc[("model", "logs_rmse", "all"), "value"] == pytest.approx(0.5, abs=0.1)
    assert -0.2 < scores.loc[(MEAN, "logs_r2", "all"), "value"] <= 0
    for name in ("model", FOREST, LINEAR, NEAREST, MEAN):
        assert 0.8 < scores.loc[(name, "logs_coverage", "all"), "value"] <= 1, name
    assert scores.loc[(LINEAR, "logs_r2", "all"), "value"] > 0.8
    names = {path.stem for path in (inputs.evaluate / "curves").iterdir()}
    assert {"logs_mae_by_similarity", "active_roc_by_false_positive_rate"} <= names
    assert set(read_json(inputs.evaluate / "metrics.json")) > {"logs_rmse", "active_roc_auc"}


def test_curves_agree_with_the_scores(noisy: tuple[Inputs, pd.DataFrame]) -> None:
    folder, scores = noisy[0].evaluate / "curves", noisy[1]
    roc = read_csv(folder / "roc_by_false_positive_rate.csv")
    for name in ("model", FOREST):
        area = np.trapezoid(roc[name], roc["false_positive_rate"])
        assert area == pytest.approx(scores.loc[(name, "roc_auc", "all"), "value"], abs=0.01)
        assert (roc[f"{name}_low"] <= roc[name] + 1e-9).all()
        assert (roc[name] <= roc[f"{name}_high"] + 1e-9).all()
    curve = read_csv(folder / "precision_by_recall.csv")
    area = np.trapezoid(curve["model"], curve["recall"])
    score = scores.loc[("model", "average_precision", "all"), "value"]
    assert area == pytest.approx(score, abs=0.03)
    found = read_csv(folder / "share_of_wanted_found_by_library_screened.csv")
    assert found["model"].iloc[0] == 0 and found["model"].iloc[-1] == 1
    at = found.loc[np.isclose(found["library_screened"], 0.05), "model"].item()
    factor = scores.loc[("model", "enrichment_5", "all"), "value"]
    assert at == pytest.approx(0.05 * factor, abs=0.01)


def test_the_same_bytes_come_twice(noisy: tuple[Inputs, pd.DataFrame], tmp_path: Path) -> None:
    first = noisy[0].evaluate
    evaluate(PARAMS, noisy[0], tmp_path)
    files = sorted(path.relative_to(first) for path in first.rglob("*.*"))
    assert len(files) > 7
    assert all((first / name).read_bytes() == (tmp_path / name).read_bytes() for name in files)


def test_subgroups_part_the_molecules() -> None:
    rng = generator(5)
    table = pd.DataFrame({"similarity": rng.random(300), "inside": rng.random(300) < 0.9})
    groups = subgroups(table, [0.7, 0.4], 5)
    parted = [rows for name, rows in groups.items() if name.startswith("similarity")]
    assert len(parted) == 3 and (np.sum(parted, axis=0) == 1).all()
    assert (groups["inside the applicability domain"] == table["inside"]).all()
    assert set(subgroups(table, [], 299)) == {"all"}


def test_tanimoto_of_known_pairs() -> None:
    bits = np.array([[1, 1, 0, 0], [0, 1, 1, 1], [0, 0, 0, 0]], dtype=np.float32)
    expected = [[1, 0.25, 0], [0.25, 1, 0], [0, 0, 1]]
    np.testing.assert_allclose(tanimoto(bits, bits), expected)


def test_published_results_stand_beside_the_data_they_are_of() -> None:
    titles = {dataset.title for dataset in DATASETS.values()}
    told = {title for title in titles if published_rows(title)}
    assert len(told) == 4
    assert all("split" in line[-1] for title in told for line in published_rows(title))
    assert published_rows("A table of one's own") == []


def test_a_network_that_learns_shuffled_labels_knows_nothing(tmp_path: Path) -> None:
    """y-scrambling: what is learnt from the true labels is not there with shuffled ones."""
    truth, found = has_nitro(SMILES), []
    for name, labels in (("true", truth), ("shuffled", generator(11).permutation(truth))):
        inputs = trained(prepared(tmp_path / name, SMILES, {ACTIVE: labels}), members=1, epochs=4)
        said = read_predictions(inputs.predict)
        rows = rows_of(said[said["split"] == "test"], ACTIVE)
        drawn = [measure(rows, ACTIVE, weights)["roc_auc"] for weights in weightings(len(rows), 0)]
        found.append(bounded(np.concatenate(drawn), len(rows)))
    assert found[0].low > 0.9
    assert found[1].low < 0.5 < found[1].high
