"""Explanations of readers of whom it is known what they look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from domains.retina.evaluate import evaluate
from domains.retina.evaluate.params import EvaluateParams
from domains.retina.explain import explain
from domains.retina.explain.counterfactual import Responses, drawn, monotonic, slope
from domains.retina.explain.deletion import SHARES, area, blank, changes
from domains.retina.explain.maps import REGIONS, enrichment, gradient_maps, learnt_maps, regions
from domains.retina.explain.params import ExplainParams
from domains.retina.explain.slopes import Measured, recover
from domains.retina.explain.subject import randomised
from domains.retina.prepare.cohort import Cohort, eyes
from domains.retina.prepare.render import masks, render
from pipelines.core.artifacts import read_json
from pipelines.core.contract import check_outputs
from pipelines.core.randomness import generator
from pipelines.core.runner import Inputs
from tests.retina.readers import SIZE, chain, network_of, within

PARAMS = ExplainParams(eyes=8, persons=3, change_mmhg=20.0, resamples=20, seed=0)


@pytest.fixture(scope="module")
def photographs() -> tuple[np.ndarray, np.ndarray]:
    """(8, SIZE, SIZE, 3) eyes of a cohort and where their vessels are."""
    cohort = Cohort(0, 5.0)
    some = [eye for k in range(4) for eye in eyes(cohort.person(k))]
    images = np.stack([render(eye, SIZE) for eye in some])
    return images, np.stack([masks(eye, SIZE)["vessel"] for eye in some])


def test_attention_is_where_the_reader_looks(photographs: tuple[np.ndarray, np.ndarray]) -> None:
    images, _ = photographs
    field = images.max(axis=-1) > 0
    patient = pd.Series(np.arange(8) // 2)
    mask = np.zeros((SIZE, SIZE))
    mask[10:20, 15:40] = 1
    inside = np.broadcast_to(mask > 0, field.shape) & field
    maps = gradient_maps(within(mask), images, 0)
    assert maps.sum(axis=(1, 2)) == pytest.approx(1)
    found = enrichment(maps, inside, field, patient, seed=0)
    assert found.value == pytest.approx(field.sum() / inside.sum(), rel=1e-3)
    assert enrichment(maps, field & ~inside, field, patient, seed=0).value == pytest.approx(0)
    everywhere = gradient_maps(within(np.ones((SIZE, SIZE))), images, 0)
    assert enrichment(everywhere, inside, field, patient, seed=0).value == pytest.approx(1)
    learnt = learnt_maps(within(mask), images, 0)  # its learnt attention is uniform
    assert enrichment(learnt, inside, field, patient, seed=0).value == pytest.approx(1, rel=1e-3)


def test_a_reader_without_knowledge_does_not_prefer_vessels(
    photographs: tuple[np.ndarray, np.ndarray],
) -> None:
    """The control by itself: an untrained network looks at vessels as much as anywhere."""
    images, vessels = photographs
    field = images.max(axis=-1) > 0
    maps = gradient_maps(network_of(["crae_um"]), images, 0)
    patient = pd.Series(np.arange(8) // 2)
    assert enrichment(maps, vessels & field, field, patient, seed=0).value < 1.3


def test_regions_part_the_field_of_view(photographs: tuple[np.ndarray, np.ndarray]) -> None:
    images, vessels = photographs
    disc = np.zeros_like(vessels)
    disc[:, 20:30, 5:15] = True
    parts = regions(images, {"vessel": vessels, "disc": disc})
    assert tuple(parts) == REGIONS
    assert (sum(part.astype(int) for part in parts.values()) == (images.max(axis=-1) > 0)).all()
    wide = np.zeros_like(vessels)
    wide[:, 20:24, 10:40] = wide[:, 30:31, 10:40] = True  # 4 px and 1 px across
    parts = regions(images, {"vessel": wide, "disc": disc})
    assert (
        parts["large vessels"][:, 20:24, 15:35].all() and parts["small vessels"][:, 30, 15:35].all()
    )


def test_deletion_and_insertion_tell_the_right_pixels(
    photographs: tuple[np.ndarray, np.ndarray],
) -> None:
    images = photographs[0]
    mask = np.zeros((SIZE, SIZE))
    mask[20:24, 16:34] = np.arange(18) % 2  # fine, so that the local mean is another thing
    reader = within(mask)
    outside = images.max(axis=-1) == 0

    def order(weight: np.ndarray) -> np.ndarray:
        weight = np.where(outside, -1, weight).reshape(len(images), -1)
        return np.argsort(-weight, axis=1, kind="stable")

    maps = gradient_maps(reader, images, 0)
    orders = {"right": order(maps), "wrong": order(-maps + 1)}
    orders["chance"] = order(generator(1).random(maps.shape))
    gone = {name: area(c) for name, c in changes(reader, images, orders, 0).items()}
    given = {n: area(c) for n, c in changes(reader, images, orders, 0, insert=True).items()}
    assert gone["right"] > 0.95 > gone["chance"] > gone["wrong"]
    assert given["right"] < 0.05 < given["chance"] < given["wrong"]
    curve = changes(reader, images, orders, 0)["right"]
    assert curve[0] == 0 and curve[-1] == pytest.approx(1)
    assert len(curve) == len(SHARES)


def test_a_blank_photograph_keeps_its_field_and_nothing_fine() -> None:
    image = render(eyes(Cohort(0, 5.0).person(1))[0], 64)
    empty = blank(image)
    field = image.max(axis=-1) > 0
    assert (empty.max(axis=-1) > 0)[field].all() and not empty[~field].any()
    fine = [np.abs(np.diff(i.astype(float), axis=1))[16:48, 16:48].mean() for i in (image, empty)]
    assert fine[1] < 0.4 * fine[0]


def test_slope_and_order_of_known_responses() -> None:
    changes_mmhg = np.linspace(-20, 20, 5)
    noise = generator(3).normal(0, 1, (40, 1))
    gain = np.where(np.arange(40) < 30, 0.5, -0.1)[:, None]
    readings = (137 + noise + gain * changes_mmhg)[..., None]
    found = Responses(changes_mmhg, readings)
    assert slope(found, 0).value == pytest.approx((30 * 0.5 - 10 * 0.1) / 40)
    assert slope(found, 0).low < slope(found, 0).value < slope(found, 0).high
    assert monotonic(found, 0) == pytest.approx(0.75)


def test_counterfactual_eyes_are_the_same_eyes() -> None:
    person = Cohort(0, 5.0).person(3)
    changed = np.array([-20.0, 0.0, 20.0])
    pictures = drawn(person, changed, 96).astype(int)
    assert (pictures[1] == np.stack([render(eye, 96) for eye in eyes(person)])).all()
    places = np.stack([masks(eye, 96)["vessel"] for eye in eyes(person)])
    near = np.stack([_widened(place) for place in places])
    for other in (pictures[0], pictures[2]):
        difference = np.abs(other - pictures[1]).mean(axis=-1)
        assert difference.max() > 0
        assert difference[near].mean() > 2 * difference[~near].mean()


def test_a_reader_of_arteries_rises_with_pressure() -> None:
    """Higher pressure, narrower arteries, less blood, more light: a known reader's answer."""
    person = Cohort(0, 5.0).person(3)
    pictures = drawn(person, np.linspace(-20, 20, 5), 128).astype(float)
    where = np.stack([masks(eye, 128)["artery"] for eye in eyes(person)])
    light = np.array([step[..., 1][where].mean() for step in pictures])
    assert (np.diff(light) > 0).all()


def _widened(mask: np.ndarray) -> np.ndarray:
    wide = mask.copy()
    for axis in (0, 1):
        for step in (-1, 1):
            wide |= np.roll(mask, step, axis)
    return wide


def simulated(seed: int, slopes: np.ndarray, persons: int) -> tuple[Measured, Measured]:
    """Validation and test persons; the reading weakens the features, mixes them, adds noise."""
    rng = generator(seed)
    features, factors = slopes.shape
    mixing = 0.4 * np.eye(features) + 0.15
    found = []
    for _ in range(2):
        risk = rng.normal(size=(persons, factors))
        true = risk @ slopes.T + rng.normal(size=(persons, features))
        read = true @ mixing + 0.3 * rng.normal(size=true.shape)
        found.append(Measured(true, read, risk))
    return found[0], found[1]


def test_planted_slopes_are_recovered_with_honest_intervals() -> None:
    slopes = np.array([[-0.6, 0.0, 0.3], [0.0, 0.0, 0.0], [0.0, 0.5, 0.0], [0.2, 0.0, 0.0]])
    names = (["a", "b", "c", "d"], ["x", "y", "z"])
    hits, naive = [], []
    for seed in range(12):
        checked, tested = simulated(seed, slopes, 300)
        found = recover(checked, tested, slopes, names, 60, seed)
        hits.append(found.covered)
        # Taken as they are, the readings say that unplanted slopes exist.
        raw = np.linalg.lstsq(tested.factors, tested.read, rcond=None)[0].T
        naive.append(raw[1, 0])
    assert 0.88 < np.mean(hits) <= 0.99  # 60 resamples make intervals a little short of 95 %
    assert np.mean(naive) < -0.05
    units = tested.factors.std(axis=0) / checked.true.std(axis=0)[:, None]
    assert found.planted == pytest.approx(slopes * units)


def test_the_control_has_the_same_weights_in_another_order(
    photographs: tuple[np.ndarray, np.ndarray],
) -> None:
    network = network_of([])
    images = photographs[0]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    control, again = randomised(network, images, 1), randomised(network, images, 1)
    for name, weights in network.named_parameters():
        other = dict(control.named_parameters())[name]
        assert torch.equal(weights.flatten().sort()[0], other.flatten().sort()[0])
    assert any(
        not torch.equal(w, dict(control.named_parameters())[n])
        for n, w in network.named_parameters()
    )
    assert all(torch.equal(v, again.state_dict()[n]) for n, v in control.state_dict().items())
    assert all(torch.equal(v, before[n]) for n, v in network.state_dict().items())
    seen = torch.from_numpy(images)
    assert not control.training and torch.isfinite(control(seen).centre).all()
    assert not torch.equal(control(seen).centre, network(seen).centre)


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    inputs = chain(tmp_path_factory.mktemp("cohort"), cohort=True)
    inputs.explain.mkdir()
    explain(PARAMS, inputs, inputs.explain)
    return inputs


def figures_with_controls(folder: Path) -> set[str]:
    check_outputs("explain", folder, "domains/retina/explain")
    content = read_json(folder / "explain.json")
    for figure in content["figures"]:
        assert "ontrol" in figure["caption"] and "randomised" in figure["caption"]
    assert all(np.isfinite(v) for v in content["findings"].values() if isinstance(v, float))
    return {figure["file"] for figure in content["figures"]}


COMMON = {"readings.png", "attention.png", "deletion.png", "shortcuts.png"}


def test_every_figure_of_a_cohort_has_its_control(explained: Inputs) -> None:
    found = figures_with_controls(explained.explain)
    assert found == COMMON | {"counterfactual.png", "slopes.png"}


def test_real_photographs_are_explained_without_a_truth(tmp_path: Path) -> None:
    inputs = chain(tmp_path, cohort=False)
    inputs.explain.mkdir()
    explain(PARAMS, inputs, inputs.explain)
    assert figures_with_controls(inputs.explain) == COMMON


@pytest.mark.parametrize("only", ["sex", "bmi"])
def test_a_single_target_is_enough(tmp_path: Path, only: str) -> None:
    inputs = chain(tmp_path, cohort=False, only=only)
    for folder in (inputs.evaluate, inputs.explain):
        folder.mkdir()
    evaluate(EvaluateParams(age_edges=[], smallest_group=2, seed=0), inputs, inputs.evaluate)
    check_outputs("evaluate", inputs.evaluate, "domains/retina/evaluate")
    explain(PARAMS, inputs, inputs.explain)
    assert figures_with_controls(inputs.explain) == COMMON


def test_the_same_bytes_come_twice(explained: Inputs, tmp_path: Path) -> None:
    explain(PARAMS, explained, tmp_path)
    for path in sorted(explained.explain.iterdir()):
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()
