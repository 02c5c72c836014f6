from itertools import pairwise

import numpy as np
import pytest

from domains.segmentation.prepare.arrays import (
    block_index,
    read_format,
    read_samples,
    write_samples,
)
from domains.segmentation.prepare.intensity import normalise
from domains.segmentation.prepare.split import regions, split_groups
from pipelines.core.errors import UserError
from tests.segmentation.cases import discs, form, params, sample


@pytest.mark.parametrize("gap", [48, 100])
def test_regions_are_apart_by_the_gap_and_cover_the_rest(gap):
    cut = regions(1100, [0.5, 0.15, 0.35], gap, "gap_px")
    assert cut[0].start == 0 and cut[-1].stop == 1100
    for left, right in pairwise(cut):
        assert right.start - left.stop == gap
    widths = np.array([s.stop - s.start for s in cut])
    np.testing.assert_allclose(widths / widths.sum(), [0.5, 0.15, 0.35], atol=0.001)


def test_a_gap_that_eats_the_field_is_refused():
    with pytest.raises(UserError, match="gap_px"):
        regions(200, [1, 1, 1], 100, "gap_px")


def test_samples_come_back_as_they_were(tmp_path):
    samples = [
        sample(discs((20, 31), (8, 8, 4)), "a", "train"),
        sample(discs((9, 5)), "b", "test", 3),
    ]
    write_samples(tmp_path, samples, form())
    assert read_format(tmp_path) == form()
    back = read_samples(tmp_path, "train", "test")
    for before, after in zip(samples, back, strict=True):
        assert (before.name, before.split, before.blocks) == (after.name, after.split, after.blocks)
        np.testing.assert_array_equal(before.image, after.image)
        np.testing.assert_array_equal(before.mask, after.mask)
    assert [s.name for s in read_samples(tmp_path, "test")] == ["b"]


def test_blocks_are_stripes_of_the_longer_side():
    blocks = block_index(sample(np.zeros((50, 20), dtype=np.int32), blocks=5))
    np.testing.assert_array_equal(np.bincount(blocks.ravel()), [200] * 5)
    assert (blocks == blocks[:, :1]).all()


def test_normalised_intensities_do_not_depend_on_gain_and_offset():
    image = np.random.default_rng(0).random((40, 40, 3))
    scaled = normalise(image * [10, 2, 5000] + [3, 100, 7], form(channels=3))
    np.testing.assert_allclose(scaled, normalise(image, form(channels=3)), atol=1e-5)
    assert scaled.min() == 0 and scaled.max() == 1
    assert not normalise(np.full((5, 5, 1), 7, dtype=np.uint16), form()).any()


def test_groups_stay_together_and_every_split_has_one():
    sizes = {f"patient{k}": 1 + k % 4 for k in range(20)}
    chosen = split_groups(sizes, [0.6, 0.2, 0.2], seed=0)
    images = {s: sum(sizes[g] for g in sizes if chosen[g] == s) for s in set(chosen.values())}
    assert images["train"] == pytest.approx(0.6 * sum(sizes.values()), abs=3)
    assert chosen == split_groups(dict(reversed(sizes.items())), [0.6, 0.2, 0.2], seed=0)
    assert chosen != split_groups(sizes, [0.6, 0.2, 0.2], seed=1)
    unequal = split_groups({"a": 1, "b": 2, "c": 40}, [0.6, 0.2, 0.2], seed=0)
    assert unequal["c"] == "train"
    few = split_groups({"a": 9, "b": 1, "c": 1}, [0.98, 0.01, 0.01], seed=0)
    assert set(few.values()) == {"train", "validation", "test"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": None}, "path"),
        ({"shares": [1.0, 0.0, 1.0]}, "shares"),
        ({"frames": [3, 3]}, "frames"),
        ({"frames": [20]}, "frames"),
        ({"gap_px": 20}, "gap_px"),
    ],
)
def test_parameters_that_contradict_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        params(**{"path": "x", **changes})
