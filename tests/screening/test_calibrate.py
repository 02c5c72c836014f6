import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from domains.screening.predict.calibrate import (
    Calibration,
    Conformal,
    Isotonic,
    Platt,
    calibrate,
    conformal_quantile,
    fit_rule,
    read_calibration,
    write_calibration,
)
from domains.screening.predict.params import PredictParams
from pipelines.core.errors import UserError
from tests.screening.made import CROSSING, DISTANCE

TINY = {"calibration": "platt", "coverage": 0.9, "outside": 0.05, "dissimilar": 0.4}


def calibrated(target, said, truth, **changes):
    """said (members, n), truth (n,): all of them of the validation split."""
    table = pd.DataFrame({"split": "validation", target.name: truth})
    params = PredictParams(**{**TINY, **changes})
    return calibrate(params, [target], table, said[:, :, None], np.linspace(0, 1, len(truth)))


def classes(n, seed=0):
    """Logits three times too sure and shifted, of three members, and the truth."""
    rng = np.random.default_rng(seed)
    honest = rng.normal(-1, 1.5, n)
    truth = (rng.random(n) < 1 / (1 + np.exp(-honest))).astype(float)
    return 3 * honest + 2 + rng.normal(0, 0.2, (3, n)), truth


def values(n, seed=0):
    """Errors grow with the spread of five members."""
    rng = np.random.default_rng(seed)
    sd = rng.uniform(0.1, 3, n)
    said = rng.normal(0, 2, n) + sd * rng.normal(0, 1, (5, n))
    return said, said.mean(axis=0) + sd * rng.normal(0, 1, n)


def test_platt_undoes_what_was_too_sure():
    said, truth = classes(4000)
    curve = calibrated(CROSSING, said, truth).targets["crossing"]
    assert curve.slope == pytest.approx(1 / 3, rel=0.1)
    assert curve.intercept == pytest.approx(-2 / 3, rel=0.2)
    reference = LogisticRegression(C=np.inf).fit(said.mean(axis=0)[:, None], truth)
    assert curve.slope == pytest.approx(reference.coef_[0, 0], rel=0.02)


@pytest.mark.parametrize("kind", ["platt", "isotonic"])
def test_calibrated_probabilities_are_as_often_true_as_they_say(kind):
    rule = calibrated(CROSSING, *classes(4000), calibration=kind)
    said, truth = classes(4000, seed=1)
    score = rule.answers(said[:, :, None], [CROSSING])["crossing_score"].to_numpy()
    for low, high in ((0, 0.2), (0.2, 0.5), (0.5, 1)):
        part = (score >= low) & (score < high)
        assert abs(truth[part].mean() - score[part].mean()) < 0.05


def test_perfect_and_useless_ensembles_keep_finite_curves_that_rise():
    truth = np.array([0.0, 0, 0, 1, 1])
    perfect = calibrated(CROSSING, np.array([[-9.0, -8, -7, 8, 9]]), truth).targets["crossing"]
    inverse = calibrated(CROSSING, np.array([[9.0, 8, 7, -8, -9]]), truth).targets["crossing"]
    for curve in (perfect, inverse):
        rising = curve(np.array([-5.0, 0, 5]))
        assert 0 < rising[0] < rising[1] < rising[2] < 1


def test_one_class_alone_can_be_calibrated():
    curve = calibrated(CROSSING, np.array([[0.0, 1, 2]]), np.zeros(3)).targets["crossing"]
    assert (curve(np.array([0.0, 2])) < 0.5).all()


def test_isotonic_is_flat_where_the_truth_does_not_rise():
    said, truth = np.array([[0.0, 1, 2, 3]]), np.array([0.0, 1, 0, 1])
    curve = calibrated(CROSSING, said, truth, calibration="isotonic").targets["crossing"]
    np.testing.assert_allclose(curve(np.array([-9.0, 0, 1, 2, 3, 9])), [0, 0, 0.5, 0.5, 1, 1])


@pytest.mark.parametrize("members", [1, 5])
def test_conformal_intervals_cover_what_they_promise(members):
    covered = []
    for seed in range(20):
        said, truth = values(200, seed)
        rule = calibrated(DISTANCE, said[:members], truth, coverage=0.8)
        fresh, true = values(500, seed + 1000)
        table = rule.answers(fresh[:members, :, None], [DISTANCE])
        covered.append(((table["distance_low"] <= true) & (true <= table["distance_high"])).mean())
    assert abs(np.mean(covered) - 0.8) < 0.025


def test_intervals_scale_with_the_spread_where_that_makes_them_shorter():
    said, truth = values(500)
    assert calibrated(DISTANCE, said, truth).targets["distance"].typical is not None
    alike = np.random.default_rng(0).normal(0, 1, 500)
    constant = calibrated(DISTANCE, said, said.mean(axis=0) + alike).targets["distance"]
    assert constant.typical is None
    assert calibrated(DISTANCE, said[:1], truth).targets["distance"].typical is None


def test_a_promise_that_too_few_molecules_cannot_keep_is_refused():
    said, truth = values(39)
    with pytest.raises(UserError, match=r"coverage: found 0.99; 39 .* can promise 0.975 at most"):
        calibrated(DISTANCE, said, truth, coverage=0.99)
    assert calibrated(DISTANCE, said, truth, coverage=0.975)


def test_conformal_quantile_by_hand():
    errors = np.arange(1.0, 10)  # nine
    assert conformal_quantile(errors[::-1], 0.8) == 8  # ⌈10 · 0.8⌉-th
    assert conformal_quantile(errors, 0.81) == 9
    assert conformal_quantile(errors, 0.99) == 9  # too few


def test_what_is_unknown_does_not_count():
    said, truth = values(100)
    holes = truth.copy()
    holes[::3] = np.nan
    kept = ~np.isnan(holes)
    with_holes = calibrated(DISTANCE, said, holes).targets["distance"]
    assert with_holes == calibrated(DISTANCE, said[:, kept], truth[kept]).targets["distance"]


def test_only_validation_calibrates():
    said, truth = values(100)
    table = pd.DataFrame({"split": ["validation"] * 50 + ["test"] * 50, "distance": truth})
    params, likeness = PredictParams(**TINY), np.linspace(0, 1, 100)
    one = calibrate(params, [DISTANCE], table, said[:, :, None], likeness)
    table.loc[50:, "distance"] = 1e6
    assert one == calibrate(params, [DISTANCE], table, said[:, :, None], likeness)
    assert one.inside == pytest.approx(np.quantile(likeness[:50], 0.05))


def test_answers_by_hand():
    rule = Calibration(
        0.5, 0.3, {"crossing": Platt(2.0, 1.0), "distance": Conformal(3.0, typical=0.5)}
    )
    said = np.array([[[0.0, 1.0]], [[2.0, 3.0]]])  # two members, one molecule, two targets
    row = rule.answers(said, [CROSSING, DISTANCE]).iloc[0]
    members = 1 / (1 + np.exp(-np.array([1.0, 5.0])))
    assert row["crossing_score"] == pytest.approx(1 / (1 + np.exp(-3)))
    assert row["crossing_spread"] == pytest.approx(members.std())
    quarter = np.diff(members)[0] / 4
    assert row["crossing_low"] == pytest.approx(members[0] + quarter)
    assert row["crossing_high"] == pytest.approx(max(members[1] - quarter, row["crossing_score"]))
    assert row["distance_score"] == 2 and row["distance_spread"] == 1
    assert (row["distance_low"], row["distance_high"]) == (2 - 4.5, 2 + 4.5)


def test_what_is_written_is_read(tmp_path):
    rules = {
        "a": Platt(1.5, -0.5),
        "b": Isotonic([0.0, 1.0], [0.25, 0.75]),
        "c": Conformal(1.25, None),
    }
    write_calibration(tmp_path, Calibration(0.9, 0.25, rules))
    assert read_calibration(tmp_path) == Calibration(0.9, 0.25, rules)


def test_a_rule_is_of_the_known_validation_molecules_of_its_target():
    said, truth = classes(300)
    table = pd.DataFrame({"split": ["validation"] * 200 + ["test"] * 100, "crossing": truth})
    table.loc[:49, "crossing"] = np.nan
    found = calibrate(PredictParams(**TINY), [CROSSING], table, said[:, :, None], np.ones(300))
    rule = fit_rule("platt", 0.9, CROSSING, said[:, 50:200], truth[50:200])
    assert found.targets == {"crossing": rule}
