"""The causal cohort: what is planted is there, nothing else is, and the best reader is the best."""

import numpy as np
import pytest

from domains.retina.prepare import effects
from domains.retina.prepare.cohort import OUT_OF_FOCUS_UM, Cohort, Person, eyes
from domains.retina.prepare.effects import FACTORS, FEATURES, NAMES, planted
from domains.retina.prepare.posterior import bayes_table, posterior

COUNT = 3000


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """(n, factors) and (n, 2, features) at effect scale 5."""
    return _drawn(5.0)


def _drawn(scale: float) -> tuple[np.ndarray, np.ndarray]:
    people = [Cohort(3, scale).person(k) for k in range(1, COUNT + 1)]
    factors = np.array([[p.factors[name] for name in FACTORS] for p in people])
    return factors, np.array([_anatomy(p) for p in people])


def _anatomy(person: Person) -> list[list[float]]:
    return [[eye.anatomy[name] for name in NAMES] for eye in eyes(person)]


def test_persons_are_those_of_uk_biobank(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    factors, _ = drawn
    mean, sd = factors.mean(axis=0), factors.std(axis=0)
    assert mean[:2] == pytest.approx([56.8, 136.8], abs=1.0)
    assert sd[:2] == pytest.approx([8.2, 18.3], abs=0.5)
    assert mean[3] == pytest.approx(0.45, abs=0.03)
    assert mean[4] == pytest.approx(0.105, abs=0.02)


def test_the_source_of_body_mass_states_the_figures_that_are_drawn(
    drawn: tuple[np.ndarray, np.ndarray],
) -> None:
    stated = f"body mass index {effects.BMI_MEAN} ± {effects.BMI_SD} kg/m²: Tapp et al. 2020"
    assert stated in str(effects.__doc__)
    assert drawn[0][:, 2].mean() == pytest.approx(27.3, abs=0.3)


def test_photographs_out_of_focus_range_from_the_just_visible_to_the_useless() -> None:
    people = [Cohort(3, 5.0).person(k) for k in range(1, COUNT + 1)]
    defocus = np.array([eye.camera.defocus_um for person in people for eye in eyes(person)])
    bad = defocus > 28
    low, high = OUT_OF_FOCUS_UM
    assert bad.mean() == pytest.approx(0.03, abs=0.008)
    assert ((defocus[bad] >= low) & (defocus[bad] <= high)).all()
    # As many between 60 and 136 µm as between 136 and 308, and so on: uniform in the logarithm.
    thirds = np.histogram(np.log(defocus[bad] / low) / np.log(high / low), 3, (0, 1))[0]
    assert (thirds > 0.22 * bad.sum()).all()


def test_regression_recovers_every_planted_slope_and_zero_elsewhere(
    drawn: tuple[np.ndarray, np.ndarray],
) -> None:
    factors, anatomy = drawn
    design = np.column_stack([factors, np.ones(COUNT)])
    both = anatomy.mean(axis=1)
    slopes, *_ = np.linalg.lstsq(design, both, rcond=None)
    residual = both - design @ slopes
    cover = np.sqrt(np.diag(np.linalg.inv(design.T @ design)))[:-1, None] * residual.std(axis=0)
    true = planted(5.0)["slopes"]
    expected = np.array([[true[name][factor] for name in NAMES] for factor in FACTORS])
    assert np.abs((slopes[:-1] - expected) / cover).max() < 4.5
    assert np.count_nonzero(expected) == sum(len(f.slopes) for f in FEATURES)


def test_residuals_of_fellow_eyes_correlate_as_published(
    drawn: tuple[np.ndarray, np.ndarray],
) -> None:
    factors, anatomy = drawn
    design = np.column_stack([factors, np.ones(COUNT)])
    for k, feature in enumerate(FEATURES):
        pair = anatomy[..., k]
        pair = pair - design @ np.linalg.lstsq(design, pair, rcond=None)[0]
        assert np.corrcoef(pair.T)[0, 1] == pytest.approx(feature.fellow, abs=0.05)
        assert pair.std() == pytest.approx(feature.sd, rel=0.05)


def test_the_effect_scale_changes_the_anatomy_but_not_the_person() -> None:
    weak, strong = Cohort(0, 0.0).person(7), Cohort(0, 5.0).person(7)
    assert weak.factors == strong.factors
    one, other = eyes(weak)[0], eyes(strong)[0]
    shift = sum(
        slope * (weak.factors[name] - effects.CENTRE[name])
        for name, slope in FEATURES[0].slopes.items()
    )
    assert other.anatomy["crae_um"] - one.anatomy["crae_um"] == pytest.approx(5 * shift)
    assert one.camera == other.camera


def test_another_pressure_leaves_the_eye_as_it_is_but_for_its_effects() -> None:
    person = Cohort(0, 5.0).person(4)
    before = eyes(person)[1]
    after = eyes(person.with_(systolic=person.factors["systolic"] + 10))[1]
    changed = {name for name in NAMES if before.anatomy[name] != after.anatomy[name]}
    assert changed == {"crae_um", "tortuosity_artery"}
    assert after.anatomy["crae_um"] - before.anatomy["crae_um"] == pytest.approx(-13.7)
    assert after.key == before.key and after.camera == before.camera


def test_the_camera_knows_nothing_of_age_unless_a_shortcut_is_planted() -> None:
    def correlation(shortcut: bool) -> float:
        people = [Cohort(0, 5.0, shortcut).person(k) for k in range(1, 801)]
        warmth = [eyes(person)[0].camera.warmth for person in people]
        return float(np.corrcoef(warmth, [p.factors["age"] for p in people])[0, 1])

    assert abs(correlation(False)) < 0.12
    assert correlation(True) > 0.8


def test_the_posterior_agrees_with_weighting_many_persons_by_their_likelihood() -> None:
    """Importance sampling from the prior knows nothing of the closed form."""
    factors, anatomy = _drawn(1.0)
    noise = np.array([f.sd**2 * (1 + f.fellow) / 2 for f in FEATURES])
    slope = np.array([[f.slopes.get(name, 0.0) for name in FACTORS] for f in FEATURES])
    centre = np.array([effects.CENTRE[name] for name in FACTORS])
    expected = np.array([f.mean for f in FEATURES]) + (factors - centre) @ slope.T
    table = bayes_table(["a", "b", "c"], anatomy[:3], 1.0)
    for row in range(3):
        misses = anatomy[row].mean(axis=0) - expected
        weight = np.exp(-0.5 * (misses**2 / noise).sum(axis=1))
        weight /= weight.sum()
        error = 4 * np.sqrt((weight**2).sum())
        for k, name in enumerate(("age", "systolic", "bmi")):
            mean = weight @ factors[:, k]
            sd = np.sqrt(weight @ (factors[:, k] - mean) ** 2)
            assert table[f"{name}_mean"][row] == pytest.approx(mean, abs=error * sd)
            assert table[f"{name}_sd"][row] == pytest.approx(sd, rel=error)
        for k, name in ((3, "sex"), (4, "smoking")):
            assert table[f"{name}_probability"][row] == pytest.approx(
                weight @ factors[:, k], abs=error
            )


@pytest.mark.parametrize(("scale", "age", "systolic"), [(5.0, 0.77, 0.77), (1.0, 0.13, 0.14)])
def test_the_best_reader_reaches_what_the_design_expects(
    scale: float, age: float, systolic: float
) -> None:
    factors, anatomy = _drawn(scale)
    table = bayes_table([str(k) for k in range(COUNT)], anatomy, scale)
    for k, name, expected in ((0, "age", age), (1, "systolic", systolic)):
        error = factors[:, k] - table[f"{name}_mean"]
        assert 1 - error.var() / factors[:, k].var() == pytest.approx(expected, abs=0.03)
        assert (error / table[f"{name}_sd"]).std() == pytest.approx(1.0, abs=0.04)
        assert abs(error.mean()) < 4 * error.std() / np.sqrt(COUNT)


def test_without_effects_the_best_reader_says_what_is_usual() -> None:
    _, anatomy = _drawn(0.0)
    weights, means, sds = posterior(anatomy.mean(axis=1), 0.0)
    assert np.ptp(means[..., 0]) < 1e-9
    assert sds[0] == pytest.approx(effects.AGE_SD)
    assert np.ptp(weights, axis=0).max() < 1e-9
