from itertools import pairwise

import numpy as np
import pytest
import tifffile
from PIL import Image

from domains.segmentation.prepare import folder
from domains.segmentation.prepare.arrays import (
    block_index,
    read_format,
    read_samples,
    write_samples,
)
from domains.segmentation.prepare.intensity import normalise
from domains.segmentation.prepare.reading import read_image, read_mask
from domains.segmentation.prepare.split import regions, split_groups
from pipelines.core.errors import UserError
from tests.segmentation.cases import discs, form, groups, params, sample


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
    few = split_groups({"a": 9, "b": 1, "c": 1}, [0.98, 0.01, 0.01], seed=0)
    assert set(few.values()) == {"train", "validation", "test"}


def test_a_folder_is_read_whole_and_split_by_group(data):
    groups(data, [f"{k}.tif,{'abcd'[k // 2]}" for k in range(8)])
    samples = folder.load(params(data))
    assert len(samples) == 8
    assert len({s.mask.shape for s in samples}) == 8
    for group in "abcd":
        assert len({s.split for s in samples if s.group == group}) == 1
    assert {s.split for s in samples} == {"train", "validation", "test"}
    assert all(s.mask.max() == 2 for s in samples)
    assert len(folder.files(params(data))) == 17


def test_splits_can_be_fixed_by_the_user(data):
    splits = ["train"] * 6 + ["validation", "test"]
    groups(data, [f"{k}.tif,{k},{splits[k]}" for k in range(8)], "file,group,split")
    assert [s.split for s in folder.load(params(data))] == splits


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_tiff_images_of_every_type_come_back(tmp_path, kind, channels):
    image = (np.random.default_rng(0).random((12, 17, channels)) * 250).astype(kind)
    photometric = "rgb" if channels == 3 else "minisblack"
    picture = image if channels == 3 else image[..., 0]
    tifffile.imwrite(tmp_path / "a.tif", picture, photometric=photometric)
    back = read_image(tmp_path / "a.tif")
    assert back.dtype == kind
    np.testing.assert_array_equal(back, image)


def test_png_images_of_8_and_16_bit_grey_and_colour_come_back(tmp_path):
    import cv2

    rng = np.random.default_rng(0)
    for kind in (np.uint8, np.uint16):
        for channels in (1, 3):
            image = rng.integers(0, np.iinfo(kind).max, (12, 17, channels)).astype(kind)
            cv2.imwrite(str(tmp_path / "a.png"), image[..., ::-1])
            back = read_image(tmp_path / "a.png")
            assert back.dtype == kind
            np.testing.assert_array_equal(back, image)


def test_a_palettes_indices_are_the_labels_of_a_mask(tmp_path):
    mask = discs((20, 20), (6, 6, 3), (14, 14, 4)).astype(np.uint8)
    picture = Image.fromarray(mask, mode="P")
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    picture.save(tmp_path / "m.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png"), mask)


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
