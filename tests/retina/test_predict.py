import json

import numpy as np
import pandas as pd
import pytest

from domains.retina.predict import predict
from domains.retina.predict.attention import gradient_attention, learnt_attention
from domains.retina.predict.calibrate import calibrate, read_calibration
from domains.retina.predict.conformal import (
    Bands,
    calibrated,
    conformal_quantile,
    with_intervals,
)
from domains.retina.predict.params import PredictParams
from domains.retina.predict.tables import patient_table, uncertainty
from domains.retina.prepare.arrays import QUALITY, read_eyes, read_targets
from domains.retina.train.reading import read_network
from pipelines.core.runner import Inputs
from tests.retina.made import TARGETS, made_prepare
from tests.retina.trained import trained

AGE, SEX = TARGETS[0], TARGETS[3]


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Inputs:
    base = tmp_path_factory.mktemp("predict")
    made_prepare(base / "prepare", n=48, size=24, missing=0.2)
    inputs = trained(base / "prepare", base / "train", epochs=3)
    (base / "train" / "predict").mkdir()
    predict(PredictParams(coverage=0.9, abstain=0.1), inputs, inputs.predict)
    return inputs


def test_the_tables_hold_what_was_promised(done):
    eyes, patients = (pd.read_csv(done.predict / f"{n}.csv") for n in ("eyes", "patients"))
    prepared = read_eyes(done.prepare, ("validation", "test"))
    said = [f"age{s}" for s in ("", "_mean", "_sd", "_low", "_high")]
    head = ["split", "patient", "eye", "image", *QUALITY, "usable", "abstained"]
    assert list(eyes.columns[:14]) == [*head, *said]
    assert list(eyes.columns[-2:]) == ["smoking", "smoking_probability"]
    assert list(eyes["image"]) == list(prepared.table["image"])
    np.testing.assert_allclose(eyes["age"], prepared.table["age"])
    assert eyes["systolic"].isna().any() and not eyes["systolic_mean"].isna().any()
    assert list(patients.columns[:3]) == ["split", "patient", "eyes"]
    assert list(patients.columns[8:13]) == said
    assert list(patients["patient"]) == list(dict.fromkeys(eyes["patient"]))
    for table in (eyes, patients):
        assert (table["age_low"] < table["age_mean"]).all()
        assert (table["age_mean"] < table["age_high"]).all()
        assert table["sex_probability"].between(0, 1).all()
    assert eyes.loc[~eyes["usable"], "abstained"].all()


def test_the_intervals_cover_the_validation_split_by_construction(done):
    for name in ("eyes", "patients"):
        table = pd.read_csv(done.predict / f"{name}.csv")
        table = table[(table["split"] == "validation") & ~table["abstained"]]
        for target in ("age", "systolic", "bmi"):
            known = table[table[target].notna()]
            share = known[target].between(known[f"{target}_low"], known[f"{target}_high"]).mean()
            assert share >= 0.9 - 1e-9, (name, target)


def test_conformal_quantiles_keep_their_promise_for_any_scores():
    rng = np.random.default_rng(0)
    kept = []
    for _ in range(400):
        scores = rng.exponential(size=60)
        kept.append((rng.exponential(size=50) <= conformal_quantile(scores, 0.9)).mean())
    assert 0.9 <= np.mean(kept) < 0.93
    assert conformal_quantile(np.arange(9.0), 0.9) == 8
    assert conformal_quantile(np.arange(19.0), 0.9) == 17
    assert conformal_quantile(np.array([1.0, np.nan]), 0.9) == 1
    with pytest.raises(ValueError, match="no score"):
        conformal_quantile(np.array([np.nan]), 0.9)


def said_of(**columns) -> pd.DataFrame:
    n = len(columns["patient"])
    fixed = {"split": "test", "usable": True, **dict.fromkeys(QUALITY, 0.5)}
    return pd.DataFrame({**{k: [v] * n for k, v in fixed.items()}, **columns})


def test_both_eyes_are_averaged_but_for_those_of_which_nothing_is_said():
    eyes = said_of(
        patient=["b", "b", "a", "a", "c", "c"],
        abstained=[False, False, False, True, True, True],
        age=[50.0, 50.0, 60.0, 60.0, np.nan, np.nan],
        age_mean=[40.0, 50.0, 61.0, 99.0, 1.0, 3.0],
        age_sd=[4.0, 6.0, 5.0, 50.0, 2.0, 4.0],
        sex=[1.0] * 6,
        sex_probability=[0.5, 0.9, 0.8, 0.1, 0.2, 0.2],
    )
    table = patient_table(eyes, [AGE, SEX]).set_index("patient")
    assert list(table.index) == ["b", "a", "c"]
    assert list(table["eyes"]) == [2, 1, 2]
    assert list(table["abstained"]) == [False, False, True]
    np.testing.assert_allclose(table["age_mean"], [45, 61, 2])
    np.testing.assert_allclose(table["age_sd"], [5, 5, 3])
    np.testing.assert_allclose(table["sex_probability"], [0.75, 0.8, 0.2])
    np.testing.assert_allclose(table["age"], [50, 60, np.nan])


def test_intervals_scale_with_the_deviation_and_unknown_truths_do_not_count():
    table = said_of(
        patient=list("abc"),
        age=[50.0, 52.0, np.nan],
        age_mean=[49.0, 58.0, 50.0],
        age_sd=[1.0, 2.0, 3.0],
    )
    found = calibrated(table, [AGE, SEX], 0.9)
    assert found == {"age": Bands([], [3.0])}  # too few for bands
    table = with_intervals(table, [AGE, SEX], found)
    np.testing.assert_allclose(table["age_low"], [46, 52, 41])
    np.testing.assert_allclose(table["age_high"], [52, 64, 59])
    table["age"] = np.nan
    assert calibrated(table, [AGE], 0.9)["age"].quantiles == pytest.approx([1.645], abs=1e-3)


def reader(seed: int, n: int) -> pd.DataFrame:
    """The best reader of a value seen with as much noise as it varies: it regresses by a half."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(57, 8, n)
    seen = truth + rng.normal(0, 8, n)
    sd = rng.uniform(5, 6, n)
    return said_of(patient=np.arange(n), age=truth, age_mean=57 + (seen - 57) / 2, age_sd=sd)


def test_intervals_cover_the_young_and_the_old_as_they_cover_those_between():
    edges = [57 - 0.43 * 8, 57 + 0.43 * 8]  # thirds of all
    covered = {"bands": [], "one band": []}
    for seed in range(60):
        checked, tested = reader(2 * seed, 300), reader(2 * seed + 1, 600)
        bands = calibrated(checked, [AGE], 0.9)
        assert len(bands["age"].quantiles) == 3 and len(bands["age"].edges) == 2
        score = (checked["age"] - checked["age_mean"]).abs() / checked["age_sd"]
        one = {"age": Bands([], [conformal_quantile(score.to_numpy(), 0.9)])}
        band = np.digitize(tested["age"], edges)
        for name, by in (("bands", bands), ("one band", one)):
            table = with_intervals(tested, [AGE], by)
            inside = table["age"].between(table["age_low"], table["age_high"])
            assert (table["age_low"] <= table["age_mean"]).all()
            assert (table["age_mean"] <= table["age_high"]).all()
            covered[name].append(inside.groupby(band).mean())
    bands, one = (np.mean(covered[name], axis=0) for name in covered)
    assert bands.mean() == pytest.approx(0.9, abs=0.01)
    assert (bands > 0.87).all() and (bands < 0.94).all()
    assert min(one) < 0.88 and max(one) > 0.96  # what the bands are for


def test_an_interval_is_the_hull_of_what_each_band_accepts():
    bands = Bands([50.0, 60.0], [1.0, 3.0, 2.0])
    mean, sd = np.array([40.0, 49.0, 58.0, 70.0, np.nan]), np.full(5, 4.0)
    low, high = bands.interval(mean, sd)
    # 40: the middle band accepts up to 52; 58: the first up to 50 only from 54, so none of it.
    np.testing.assert_allclose(low, [36, 45, 50, 58, np.nan])
    np.testing.assert_allclose(high, [52, 60, 66, 78, np.nan])
    assert list(bands.of(np.array([49.9, 50.0, 60.0, 61.0]))) == [0, 1, 2, 2]


def test_the_least_certain_and_the_unusable_abstain(capsys):
    n = 40
    eyes = said_of(
        patient=[f"p{k:02d}" for k in range(n)],
        age=np.full(n, 50.0),
        age_mean=np.full(n, 51.0),
        age_sd=np.arange(1.0, n + 1),
    )
    eyes.loc[0, "usable"] = False
    found = calibrate(eyes, [AGE], 0.9, 0.1)
    marked = found.marked(eyes, [AGE])
    assert list(marked.columns).index("abstained") == list(marked.columns).index("usable") + 1
    assert list(np.flatnonzero(marked["abstained"])) == [0, 36, 37, 38, 39]
    assert uncertainty(eyes, [AGE], found.typical_sd).is_monotonic_increasing
    never = calibrate(eyes, [AGE], 0.9, 0.0)
    assert never.most_uncertain is None
    assert list(np.flatnonzero(never.marked(eyes, [AGE])["abstained"])) == [0]
    assert capsys.readouterr().err == ""
    calibrate(eyes[1:9], [AGE], 0.9, 0.0)  # of eight patients none is the 0.9 · 9th
    assert "age: 8 validation patients are too few" in capsys.readouterr().err


def test_what_is_abstained_from_does_not_calibrate():
    age, unsure = np.random.default_rng(0).normal(57, 8, 40), np.arange(40) < 8
    eyes = said_of(
        patient=[f"p{k:02d}" for k in range(40)],
        age=age,
        age_mean=age + np.where(unsure, 500, 1),
        age_sd=np.where(unsure, 5.0, 1.0),
    )
    found = calibrate(eyes, [AGE], 0.9, 0.2)
    for bands in (found.eyes["age"], found.patients["age"]):
        assert max(bands.quantiles) == pytest.approx(1)


def test_the_calibration_is_kept_as_it_was_used(done):
    kept = read_calibration(done.predict)
    content = json.loads((done.predict / "calibration.json").read_text())
    assert content["coverage"] == kept.coverage == 0.9
    assert content["eyes"] == {name: vars(bands) for name, bands in kept.eyes.items()}
    assert set(kept.patients) == {"age", "systolic", "bmi"}
    eyes = pd.read_csv(done.predict / "eyes.csv")
    targets = read_targets(done.prepare)
    again = kept.marked(eyes.drop(columns="abstained"), targets)
    assert list(again["abstained"]) == list(eyes["abstained"])
    low, high = kept.eyes["age"].interval(*eyes[["age_mean", "age_sd"]].to_numpy().T)
    np.testing.assert_allclose(eyes["age_low"], low, rtol=1e-3)
    np.testing.assert_allclose(eyes["age_high"], high, rtol=1e-3)


def test_attention_is_shares_over_the_photograph(done):
    network = read_network(done.train)
    images = np.array(read_eyes(done.prepare, ("test",)).images[:3])
    learnt = learnt_attention(network, images)
    assert learnt.shape == (3, 5, 3, 3)
    np.testing.assert_allclose(learnt.sum(axis=(2, 3)), 1, rtol=1e-5)
    for blur in (0.0, 1.5):
        maps = gradient_attention(network, images, 0, blur)
        assert maps.shape == (3, 24, 24)
        np.testing.assert_allclose(maps.sum(axis=(1, 2)), 1, rtol=1e-4)
    assert (gradient_attention(network, images, 0) != gradient_attention(network, images, 1)).any()
