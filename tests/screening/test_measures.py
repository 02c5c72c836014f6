"""Scores against RDKit's and scikit-learn's, and against what is known by theory."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from rdkit.ML.Scoring.Scoring import CalcBEDROC, CalcEnrichment
from sklearn.metrics import average_precision_score, r2_score, roc_auc_score

from domains.screening.evaluate.measures import ALPHA, EARLY, FRACTIONS, measure, rows_of
from domains.screening.prepare.arrays import Target
from pipelines.core.randomness import generator
from pipelines.statistics.bootstrap import bounded, interval
from pipelines.statistics.resampling import weightings

ACTIVE = Target("active", "class", positive="active")
LOGS = Target("logs", "value", "log mol/L")


def table(target: Target, truth: np.ndarray, score: np.ndarray, **more: object) -> pd.DataFrame:
    columns = {"group": np.arange(len(truth)).astype(str), target.name: truth}
    columns |= {f"{target.name}_score": score, f"{target.name}_low": np.nan}
    return pd.DataFrame(columns | {f"{target.name}_high": np.nan, **more})


def measured(
    target: Target, truth: np.ndarray, score: np.ndarray, weights: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    weights = np.ones((1, len(truth))) if weights is None else weights
    return measure(rows_of(table(target, truth, score), target), target, weights)


def made(n: int, share: float, seed: int, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = generator(seed, n)
    truth = (rng.random(n) < share).astype(float)
    truth[:2] = 0, 1
    score = 1 / (1 + np.exp(-truth - rng.normal(0, 1, n)))
    return truth, np.round(4 * score) / 4 if ties else score


@pytest.mark.parametrize(("n", "share"), [(30, 0.3), (500, 0.05), (1234, 0.6)])
def test_bedroc_and_enrichment_are_rdkits(n: int, share: float) -> None:
    truth, score = made(n, share, 1)
    found = measured(ACTIVE, truth, score)
    ranked = truth[np.argsort(-score)][:, None]
    assert found["bedroc"][0] == pytest.approx(CalcBEDROC(ranked, 0, ALPHA))
    expected = CalcEnrichment(ranked, 0, list(FRACTIONS.values()))
    assert [found[name][0] for name in FRACTIONS] == pytest.approx(expected)


@pytest.mark.parametrize("metric", ["bedroc", *FRACTIONS])
def test_a_score_with_ties_is_the_mean_over_their_orders(metric: str) -> None:
    truth, score = made(60, 0.3, 2, ties=True)
    rng = generator(3)
    broken = [measured(ACTIVE, truth, score + 1e-9 * rng.random(60)) for _ in range(2000)]
    drawn = np.array([found[metric][0] for found in broken])
    tolerance = 4 * drawn.std() / len(drawn) ** 0.5
    assert tolerance > 0
    assert measured(ACTIVE, truth, score)[metric][0] == pytest.approx(drawn.mean(), abs=tolerance)


def test_a_weight_is_a_number_of_copies() -> None:
    truth, score = made(40, 0.4, 4, ties=True)
    weights = generator(5).integers(0, 4, (3, 40))
    found = measured(ACTIVE, truth, score, weights.astype(float))
    for k, copies in enumerate(weights):
        rows = np.repeat(np.arange(40), copies)
        expected = measured(ACTIVE, truth[rows], score[rows])
        for name in set(found) - {"calibration_error"}:  # its bins stay those of the whole set
            assert found[name][k] == pytest.approx(expected[name][0]), name


def test_where_the_low_end_is_wanted_the_zeros_are_to_be_found_early() -> None:
    low = Target("active", "class", positive="toxic", better="low")
    truth, score = made(200, 0.7, 12, ties=True)
    found, other = measured(low, truth, score), measured(ACTIVE, truth, score)
    mirrored = measured(ACTIVE, 1 - truth, 1 - score)
    for name in EARLY:
        assert found[name][0] == pytest.approx(mirrored[name][0]) != other[name][0]
    for name in set(found) - set(EARLY):
        assert found[name][0] == other[name][0]


def test_average_precision_and_auc_are_scikit_learns() -> None:
    for ties in (False, True):
        truth, score = made(200, 0.3, 6, ties)
        weights = generator(7).integers(0, 3, (4, 200)).astype(float)
        found = measured(ACTIVE, truth, score, weights)
        for k, weight in enumerate(weights):
            ap = average_precision_score(truth, score, sample_weight=weight)
            assert found["average_precision"][k] == pytest.approx(ap)
            auc = roc_auc_score(truth, score, sample_weight=weight)
            assert found["roc_auc"][k] == pytest.approx(auc)


def test_perfect_and_ignorant_rankings() -> None:
    truth, _ = made(1000, 0.1, 8)
    best, none = measured(ACTIVE, truth, truth), measured(ACTIVE, truth, np.full(1000, 0.1))
    most = 1 / truth.mean()
    for name, value in (("roc_auc", 1), ("average_precision", 1), ("bedroc", 1), ("brier", 0)):
        assert best[name][0] == pytest.approx(value)
    for name in FRACTIONS:
        assert best[name][0] == pytest.approx(most) and none[name][0] == pytest.approx(1)
    assert none["roc_auc"][0] == 0.5
    assert none["average_precision"][0] == pytest.approx(truth.mean())


def test_a_calibrated_forecaster_has_no_calibration_error() -> None:
    rng = generator(9)
    said = rng.beta(1, 3, 200_000)
    truth = (rng.random(len(said)) < said).astype(float)
    assert measured(ACTIVE, truth, said)["calibration_error"][0] < 0.005
    # A forecaster that doubles the odds is off by as much as both curves are apart on average.
    bold = 2 * said / (1 + said)
    found = measured(ACTIVE, truth, bold)["calibration_error"][0]
    assert found == pytest.approx((bold - said).mean(), abs=0.005)


def test_one_class_has_no_ranking() -> None:
    found = measured(ACTIVE, np.zeros(9), np.arange(9) / 9)
    assert all(np.isnan(found[name][0]) for name in ("roc_auc", "average_precision", "bedroc"))
    assert np.isfinite(found["brier"][0])
    assert np.isnan(measured(ACTIVE, np.ones(9), np.arange(9) / 9)["bedroc"][0])


def test_errors_of_values_are_the_usual_ones() -> None:
    rng = generator(10)
    truth = rng.normal(-3, 2, 500)
    said = truth + rng.normal(0.5, 1, 500)
    bounds = {"logs_low": said - 1.6449, "logs_high": said + 1.6449}
    rows = rows_of(table(LOGS, truth, said, **bounds), LOGS)
    found = {name: value[0] for name, value in measure(rows, LOGS, np.ones((1, 500))).items()}
    assert found["rmse"] == pytest.approx(np.sqrt(((truth - said) ** 2).mean()))
    assert found["mae"] == pytest.approx(abs(truth - said).mean())
    assert found["r2"] == pytest.approx(r2_score(truth, said))
    assert found["coverage"] == (abs(truth - said) <= 1.6449).mean()
    assert np.isnan(measured(LOGS, np.full(5, 2.0), np.arange(5.0))["r2"][0])


def test_intervals_are_those_of_the_shared_bootstrap_over_groups() -> None:
    """Molecules of one scaffold that err alike are one piece of evidence."""
    error = np.repeat(generator(11).gamma(1.0, 1.0, 60), 3)
    truth = np.zeros(180)

    def width(group: np.ndarray) -> tuple[float, float]:
        made = table(LOGS, truth, error).assign(group=group.astype(str))
        rows, count = rows_of(made, LOGS), len(set(group))
        drawn = [measure(rows, LOGS, weights)["mae"] for weights in weightings(count, 0)]
        return bounded(np.concatenate(drawn), count)[1:]

    low, high = width(np.arange(180) // 3)
    theirs = interval(lambda e: e.mean(-1), error[::3], seed=0)
    tolerance = 0.05 * (theirs.high - theirs.low)
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=tolerance)
    alone = width(np.arange(180))
    assert high - low > 1.5 * (alone[1] - alone[0])
