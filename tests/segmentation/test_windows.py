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


def test_without_deformation_a_window_is_a_part_of_the_image():
    image = np.random.default_rng(0).random((50, 60, 1)).astype(np.float32)
    cut = RandomWindow(16, 0.0, 1.0, 0.0)
    cut.set_random_seed(3)
    params = cut.get_params_dependent_on_data({"shape": image.shape}, {})
    y, x = round(float(params["y"][0, 0])), round(float(params["x"][0, 0]))
    params = {"y": np.round(params["y"]), "x": np.round(params["x"])}
    np.testing.assert_array_equal(cut.apply(image, **params), image[y : y + 16, x : x + 16])
    assert 0 <= y <= 34 and 0 <= x <= 44


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
    grid = GridWindows(prepared, 32)
    items = [grid[0, k] for k in range(len(grid))]
    assert len(items) == 2 * 3
    assert sum(int((w > 0).sum()) for _, _, w in items) == 50 * 70
    classes = np.concatenate([c[w > 0].numpy() for _, c, w in items])
    np.testing.assert_array_equal(
        np.bincount(classes), np.bincount(prepared.classes[0].ravel().astype(int))
    )
