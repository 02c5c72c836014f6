import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from domains.segmentation.train.augment import RandomWindow, augment, chain
from domains.segmentation.train.windows import GridWindows, Prepared, RandomWindows, balance_of
from pipelines.core.randomness import generator
from tests.segmentation.cases import discs, form, sample, train_params

KEYS = [(epoch, index) for epoch in range(2) for index in range(6)]


def dataset() -> RandomWindows:
    params = train_params()
    samples = [
        sample(discs((60, 70), (20, 20, 8), (40, 45, 10))),
        sample(discs((20, 90), (9, 30, 7))),
    ]
    prepared = Prepared(samples, form(), params, balance_of(samples, form(), params))
    return RandomWindows(prepared, params)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_stream_is_the_same_for_any_number_of_workers(workers):
    data = dataset()
    alone = [data[key] for key in KEYS]
    loader = DataLoader(data, batch_size=None, sampler=KEYS, num_workers=workers)
    for ours, theirs in zip(alone, loader, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            assert torch.equal(a, b)


def test_windows_differ_between_indices_and_epochs():
    data = dataset()
    images = [data[key][0].numpy().tobytes() for key in KEYS]
    assert len(set(images)) == len(KEYS)


def test_image_and_mask_move_together():
    """An image that is its own mask stays its own mask, but for interpolation at outlines."""
    mask = discs((80, 80), (30, 30, 14), (55, 55, 12)) > 0
    steps = chain(48, 180.0, 1.5, 5.0, 0.0, 0.0)
    for index in range(20):
        image, classes, weight = augment(
            steps,
            generator(0, 0, index),
            mask[..., None].astype(np.float32),
            mask.astype(np.uint8),
            mask.astype(np.float32),
        )
        assert image.shape == (48, 48, 1) and classes.shape == weight.shape == (48, 48)
        assert (np.abs(image[..., 0] - classes) <= 0.75).all()
        assert (np.abs(image[..., 0] - classes) > 0.01).mean() < 0.15
        assert (classes == weight).all()


def test_flips_are_independent():
    """All eight symmetries occur: a chain with one seed for all its steps would show a few."""
    picture = np.arange(16, dtype=np.float32).reshape(4, 4)[..., None] / 16
    steps = chain(4, 0.0, 1.0, 0.0, 0.0, 0.0)
    seen = {
        augment(steps, generator(0, 0, k), picture, picture[..., 0], picture[..., 0])[0].tobytes()
        for k in range(100)
    }
    assert len(seen) == 8


def drawn(cut: RandomWindow, image: np.ndarray, seed: int) -> dict:
    cut.set_random_seed(seed)
    return cut.get_params_dependent_on_data({"shape": image.shape}, {})


@pytest.mark.parametrize("shape", [(50, 60), (16, 16), (17, 300)])
def test_without_deformation_a_window_is_an_exact_crop(shape):
    image = np.random.default_rng(0).random((*shape, 1)).astype(np.float32)
    cut = RandomWindow(16, 0.0, 1.0, 0.0, 0.0)
    places = set()
    for seed in range(20):
        params = drawn(cut, image, seed)
        top, left = (
            part.start + int(params[axis][0, 0])
            for part, axis in zip(params["part"], "yx", strict=True)
        )
        crop = image[top : top + 16, left : left + 16]
        np.testing.assert_array_equal(cut.apply(image, **params), crop)
        np.testing.assert_array_equal(cut.apply_to_mask(image[..., 0], **params), crop[..., 0])
        places.add((top, left))
    assert (len(places) > 1) == (max(shape) > 16)


def test_shear_leans_vertical_lines_by_up_to_its_angle_and_changes_nothing_else():
    image = np.tile(np.arange(200, dtype=np.float32), (200, 1))[..., None]  # the value is x
    cut = RandomWindow(32, 0.0, 1.0, 0.0, 20.0)
    angles = []
    for seed in range(100):
        params = drawn(cut, image, seed)
        window = cut.apply(image, **params)[..., 0]
        slope = params["x"][1, 0] - params["x"][0, 0]
        # Next to the image's edge the window shows mirrored pixels: the median is inside.
        assert np.median(np.diff(window, axis=0)) == pytest.approx(slope, abs=0.04)
        np.testing.assert_allclose(np.diff(params["x"], axis=1), 1, atol=1e-4)
        np.testing.assert_allclose(np.diff(params["y"], axis=0), 1, atol=1e-4)
        np.testing.assert_allclose(np.diff(params["y"], axis=1), 0, atol=1e-4)
        angles.append(np.rad2deg(np.arctan(slope)))
    assert -20.01 < min(angles) < -15 and 15 < max(angles) < 20.01


def test_only_the_part_of_a_large_image_that_is_needed_is_cut_out():
    """The same window out of the part and out of the whole image, mirrored borders included."""
    image = np.random.default_rng(0).random((90, 110, 2)).astype(np.float32)
    cut = RandomWindow(64, 180.0, 1.5, 10.0, 20.0)
    cut_off = 0
    for seed in range(30):
        params = drawn(cut, image, seed)
        start = [float(part.start) for part in params["part"]]
        whole = {"part": np.s_[:, :], "y": params["y"] + start[0], "x": params["x"] + start[1]}
        difference = np.abs(cut.apply(image, **params) - cut.apply(image, **whole))
        # OpenCV rounds to 1/32 px next to the edges of what it is given.
        assert difference.max() < 1 / 16 and difference.mean() < 1e-4
        cut_off += image[params["part"]].size < image.size
    assert cut_off > 0


def test_a_window_can_be_cut_where_opencv_could_not_reach():
    image = np.zeros((40, 40_000, 1), dtype=np.float32)
    image[:, 35_000:] = 1.0
    cut = RandomWindow(32, 10.0, 1.1, 2.0, 5.0)
    means = [cut.apply(image, **drawn(cut, image, seed)).mean() for seed in range(40)]
    assert min(means) == 0.0 and max(means) == 1.0


def test_an_image_smaller_than_the_window_is_mirrored():
    mask = discs((10, 12), (5, 5, 3)).astype(np.uint8)
    steps = chain(32, 0.0, 1.0, 0.0, 0.0, 0.0)
    image, classes, _ = augment(
        steps, generator(1), mask[..., None].astype(np.float32), mask, mask.astype(np.float32)
    )
    assert image.shape == (32, 32, 1)
    assert classes.sum() > 2 * mask.sum()


def test_grid_windows_show_each_pixel_once_and_fill_up_with_weight_zero():
    params = train_params()
    one = sample(discs((50, 70), (20, 20, 8), (40, 45, 8)))
    prepared = Prepared([one], form(), params, np.ones(3))
    grid = GridWindows(prepared, 32, 0)
    items = [grid[0, k] for k in range(len(grid))]
    assert len(items) == 2 * 3
    assert sum(int((w > 0).sum()) for _, _, w in items) == 50 * 70
    classes = np.concatenate([c[w > 0].numpy() for _, c, w in items])
    np.testing.assert_array_equal(
        np.bincount(classes), np.bincount(prepared.classes[0].ravel().astype(int))
    )


def test_ignored_pixels_do_not_count_in_the_class_balance():
    mask = discs((40, 40), (20, 20, 8))
    wide = np.pad(mask, ((0, 40), (0, 0)), constant_values=-1)
    full = train_params(class_balance=1.0)
    alone, beside = (balance_of([sample(m)], form(), full) for m in (mask, wide))
    np.testing.assert_allclose(alone, beside)


def test_with_a_margin_the_middles_of_the_grid_show_each_pixel_once():
    params = train_params()
    one = sample(discs((50, 70), (20, 20, 8), (40, 45, 8)))
    prepared = Prepared([one], form(), params, np.ones(3))
    grid = GridWindows(prepared, 48, 8)
    seen = [[a[..., 8:-8, 8:-8] for a in grid[0, k]] for k in range(len(grid))]
    classes = np.concatenate([c[w > 0].numpy() for _, c, w in seen])
    assert len(classes) == 50 * 70
    np.testing.assert_array_equal(
        np.bincount(classes), np.bincount(prepared.classes[0].ravel().astype(int))
    )
    image = grid[0, 0][0][0].numpy()
    np.testing.assert_array_equal(image[:8], image[16:8:-1])  # the mirror at the upper edge


def test_windows_on_objects_find_a_rare_one():
    mask = discs((300, 400), (220, 310, 12)).astype(np.uint8)
    flat = mask[..., None].astype(np.float32)
    shares = []
    for wanted in (0.0, 1.0):
        steps = chain(32, 0.0, 1.0, 0.0, 0.0, 0.0, on_objects=wanted)
        middles = [
            augment(steps, generator(0, k), flat, mask, flat[..., 0])[1][14:18, 14:18].any()
            for k in range(100)
        ]
        shares.append(np.mean(middles))
    assert shares[0] < 0.05  # the disc is 0.4 % of the image
    assert shares[1] > 0.9  # one of 1000 places lies on it in 98 % of the draws


def test_windows_come_from_samples_by_their_area():
    shape, params = form("binary"), train_params()
    samples = [sample(np.full((32, width), k, np.int32)) for k, width in enumerate((32, 288))]
    prepared = Prepared(samples, shape, params, balance_of(samples, shape, params))
    data = RandomWindows(prepared, params)
    large = [bool(data[0, k][1].any()) for k in range(200)]
    assert np.mean(large) == pytest.approx(0.9, abs=0.06)
