import random

import albumentations
import numpy as np
import pytest

from domains.retina.train.augment import Shift, augment, chain
from domains.retina.train.dataset import EyeBatches
from pipelines.core.randomness import generator
from tests.retina.trained import params_of

ALL = {
    "mirror": True,
    "upside_down": True,
    "shift_px": 6,
    "colour": 0.15,
    "defocus_px": 1.2,
}


def vessel(width: float, size: int = 64, dark: float = 0.6) -> np.ndarray:
    """A photograph with one vertical vessel of this calibre, px, exact to a sixteenth."""
    fine = np.full(size * 16, 160.0)
    middle = size * 8
    fine[round(middle - 8 * width) : round(middle + 8 * width)] *= dark
    row = np.round(fine.reshape(size, 16).mean(axis=1))
    return np.broadcast_to(row[None, :, None], (size, size, 3)).astype(np.uint8)


def calibre(image: np.ndarray) -> float:
    """Area of the vessel's shadow relative to the background: width · darkness."""
    row = image[24:40, :, 1].mean(axis=0)
    inside = row[row > 0]
    return float(np.sum(1 - inside / np.median(inside)))


def errors(steps) -> np.ndarray:
    """Relative change of the calibre, vessels of 3 to 6 px, in percent."""
    found = []
    for k in range(40):
        image = vessel(3 + 3 * k / 40)
        found.append(
            100 * (calibre(augment(steps, generator(1, 0, k), image)) / calibre(image) - 1)
        )
    return np.array(found)


def test_calibre_survives_every_change():
    for one in ({}, *({name: ALL[name]} for name in ALL), ALL):
        settings = {**dict.fromkeys(("mirror", "upside_down"), False), "shift_px": 0, **one}
        steps = chain(params_of(**settings)) or albumentations.Compose([])
        assert np.abs(errors(steps)).max() < 2.5, one
        assert abs(errors(steps).mean()) < 0.5, one


def test_calibre_does_not_survive_scaling():
    off = {"mirror": False, "upside_down": False, "shift_px": 0}
    steps = chain(params_of(**off, zoom=0.1))
    assert np.abs(errors(steps)).max() > 5


def test_ten_mmhg_more_can_still_be_seen():
    """0.11 px at 25 µm/px: the mean over augmented views tells vessels apart that differ so."""
    steps = chain(params_of(**ALL))
    means = [
        np.mean([calibre(augment(steps, generator(0, 0, k), vessel(w))) for k in range(60)])
        for w in (4.0, 4.125)
    ]
    assert means[1] - means[0] == pytest.approx(0.4 * 0.125, rel=0.3)


def test_every_change_happens():
    image = np.arange(32 * 32 * 3, dtype=np.uint32).reshape(32, 32, 3)
    image = (image * 7 % 200 + 20).astype(np.uint8)
    for name, value in {**ALL, "turn": 20.0, "zoom": 0.1}.items():
        off = {"mirror": False, "upside_down": False, "shift_px": 0}
        steps = chain(params_of(**{**off, name: value}))
        views = [augment(steps, generator(0, 0, k), image) for k in range(20)]
        assert any((view != image).any() for view in views), name
        if name == "mirror":
            assert {view.tobytes() for view in views} == {
                image.tobytes(),
                np.ascontiguousarray(image[:, ::-1]).tobytes(),
            }
    assert chain(params_of(mirror=False, upside_down=False, shift_px=0)) is None


def test_shifts_reach_as_far_as_they_may_each_way():
    shift = Shift(2)
    image = np.arange(1, 26, dtype=np.uint8).reshape(5, 5, 1)
    seen = set()
    for k in range(200):
        shift.set_random_state(generator(k), random.Random(k))
        moved = shift(image=image)["image"]
        y, x = (int(v[0]) - 2 for v in np.nonzero(moved[..., 0] == 13)) if 13 in moved else (9, 9)
        expected = np.zeros_like(image)
        for r in range(5):
            for c in range(5):
                if 0 <= r - y < 5 and 0 <= c - x < 5:
                    expected[r, c] = image[r - y, c - x]
        np.testing.assert_array_equal(moved, expected)
        seen.add((y, x))
    assert len(seen) == 25


@pytest.mark.parametrize("most", [4, 5, 12])
def test_a_shift_by_more_than_the_photograph_leaves_something_of_it(most):
    shift = Shift(most)
    image = np.arange(1, 26, dtype=np.uint8).reshape(5, 5, 1)
    for k in range(100):
        shift.set_random_state(generator(k), random.Random(k))
        moved = shift(image=image)["image"]
        assert moved.shape == image.shape and moved.any()


def batches(n: int = 6, seed: int = 0) -> EyeBatches:
    images = generator(5, n).integers(1, 255, (n, 24, 24, 3), dtype=np.uint8)
    truth = np.arange(n, dtype=np.float32)[:, None]
    return EyeBatches(images, truth, np.zeros((n, 0), np.float32), params_of(**ALL, seed=seed))


def test_an_item_is_a_function_of_seed_epoch_and_index():
    one, other = batches(), batches()
    first = one.__getitems__([(0, k) for k in range(6)])
    again = other.__getitems__([(0, k) for k in (4, 2, 0)])
    for row, k in enumerate((4, 2, 0)):
        assert (first[0][k] == again[0][row]).all()
        assert first[1][k] == again[1][row]
    assert (one[0, 3][0] == first[0][3]).all()
    assert (one.__getitems__([(1, 3)])[0] != first[0][3]).any()
    assert (batches(seed=1).__getitems__([(0, 3)])[0] != first[0][3]).any()
    views = {one[epoch, 0][0].numpy().tobytes() for epoch in range(12)}
    assert len(views) == 12
