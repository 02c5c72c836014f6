"""Bootstrap intervals against closed forms, and where there is nothing to estimate."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from pipelines.statistics import Interval, bootstrap, interval, paired
from pipelines.statistics.resampling import draws, ratios

pytestmark = pytest.mark.filterwarnings("error")  # a warning that reaches the user is a fault


def mean(values: np.ndarray) -> np.ndarray:
    return values.mean(-1)


def ratio(hits: np.ndarray, all_: np.ndarray) -> np.ndarray:
    return hits.sum(-1) / all_.sum(-1)


def test_interval_of_a_mean_is_the_textbook_one() -> None:
    values = np.random.default_rng(0).normal(5, 2, 400)
    found = interval(mean, values, seed=1)
    half = stats.t.ppf(0.975, 399) * values.std(ddof=1) / math.sqrt(400)
    assert found.value == values.mean()
    assert found.low == pytest.approx(values.mean() - half, abs=0.05 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.05 * half)


def test_interval_of_a_skewed_sample_is_skewed_as_bca_is() -> None:
    values = np.random.default_rng(0).exponential(1, 60)
    found = interval(mean, values, seed=1)
    assert found.high - found.value > 1.1 * (found.value - found.low)


def test_interval_does_not_depend_on_how_many_are_resampled_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = np.random.default_rng(0).exponential(1, 60)
    whole = interval(mean, values, seed=1)
    monkeypatch.setattr(bootstrap, "MOST_NUMBERS", 777)
    assert interval(mean, values, seed=1) == whole


@pytest.mark.parametrize("groups, least", [(5, 0.89), (8, 0.92), (20, 0.93)])
def test_intervals_cover_the_truth_as_often_as_they_say(
    monkeypatch: pytest.MonkeyPatch, groups: int, least: float
) -> None:
    """BCa intervals that are not widened for few groups cover 0.84, 0.88 and 0.91."""
    monkeypatch.setattr(bootstrap, "RESAMPLES", 499)
    draw = np.random.default_rng(0)
    covered = 0
    for repetition in range(1000):
        found = interval(mean, draw.normal(3, 1, groups), seed=repetition)
        covered += found.low <= 3 <= found.high
    assert least <= covered / 1000 <= 0.98


def test_a_ratio_of_sums_weighs_groups_by_their_size() -> None:
    hits, all_ = np.array([90.0, 1, 2, 3, 4]), np.array([100.0, 10, 10, 10, 10])
    found = interval(ratio, hits, all_, seed=0)
    assert found.value == 100 / 140
    assert 0.1 <= found.low < found.value < found.high <= 0.9
    same = interval(ratio, all_ / 2, all_, seed=0)
    assert (same.low, same.high) == pytest.approx((0.5, 0.5))


def test_columns_of_a_group_stay_together() -> None:
    hits, all_ = np.array([9.0, 80, 100, 3, 1]), np.array([10.0, 100, 200, 30, 2])
    found = interval(lambda a, b: (a <= b).all(-1) * 1.0, hits, all_, seed=0)
    assert found == Interval(1.0, 1.0, 1.0)


def test_paired_difference_is_sharper_than_its_parts() -> None:
    draw = np.random.default_rng(0)
    difficulty = draw.normal(0, 5, 80)
    ours, theirs = difficulty + draw.normal(1, 0.2, 80), difficulty + draw.normal(0, 0.2, 80)
    found = paired(mean, (ours,), (theirs,), seed=0)
    assert found.value == pytest.approx(ours.mean() - theirs.mean())
    assert 0.9 < found.low < found.value < found.high < 1.1
    alone = interval(mean, ours, seed=0)
    assert alone.high - alone.low > 10 * (found.high - found.low)


def test_paired_difference_has_a_sign() -> None:
    ours, theirs, of = [1.0, 2, 3, 2, 1], [5.0, 6, 7, 6, 5], [10.0] * 5
    found = paired(ratio, (ours, of), (theirs, of), seed=0)
    assert found.value == pytest.approx(-0.4)
    assert found.low == pytest.approx(-0.4) and found.high == pytest.approx(-0.4)


def test_a_method_does_not_differ_from_itself() -> None:
    values = np.random.default_rng(0).normal(size=30)
    assert paired(mean, (values,), (values,), seed=0) == Interval(0.0, 0.0, 0.0)


def test_a_constant_column_has_an_interval_of_no_width() -> None:
    assert interval(mean, np.full(12, 0.25), seed=0) == Interval(0.25, 0.25, 0.25)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_few_groups_have_a_value_but_no_interval(groups: int) -> None:
    values = np.arange(groups) + 0.7
    found = interval(mean, values, seed=0)
    assert found.value == pytest.approx(values.mean())
    assert math.isnan(found.low) and math.isnan(found.high)
    assert math.isnan(ratios(values[:, None], np.ones((groups, 1)), seed=0)[0].low)


def test_undefined_in_some_resamples_gives_no_interval_rather_than_a_wrong_one() -> None:
    hits, all_ = np.array([1.0, 0, 0]), np.array([2.0, 0, 0])
    found = interval(ratio, hits, all_, seed=0)
    assert found.value == 0.5
    assert math.isnan(found.low) and math.isnan(found.high)


def test_undefined_in_hardly_any_resample_leaves_these_out() -> None:
    """Five of eight images have the class: one resample in 2,560 has none of them."""
    hits, all_ = np.array([8.0, 0, 7, 9, 0, 6, 9, 0]), np.array([10.0, 0, 10, 10, 0, 10, 10, 0])
    found = interval(ratio, hits, all_, seed=0)
    assert 0.6 <= found.low < found.value == 0.78 < found.high <= 0.9
    assert math.isfinite(paired(ratio, (hits, all_), (hits / 2, all_), seed=0).low)


def test_the_way_for_many_scores_gives_the_same_intervals() -> None:
    draw = np.random.default_rng(0)
    hits, all_ = draw.uniform(0, 5, (2, 30)), draw.uniform(5, 9, (2, 30))
    found = ratios(hits.T, all_.T, seed=3)
    alone = [interval(ratio, h, a, seed=3) for h, a in zip(hits, all_, strict=True)]
    assert np.allclose(found, alone, rtol=1e-12)


def test_same_seed_same_interval() -> None:
    values = np.random.default_rng(0).normal(size=25)
    assert interval(mean, values, seed=3) == interval(mean, values.tolist(), seed=3)
    assert interval(mean, values, seed=3) != interval(mean, values, seed=4)


def test_shared_draws_are_a_function_of_the_seed() -> None:
    first, again, other = (next(draws(6, 20, seed)) for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
