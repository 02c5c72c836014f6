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
from domains.segmentation.prepare.params import PrepareParams
from domains.segmentation.prepare.reading import read_image, read_mask
from domains.segmentation.prepare.split import regions, split_groups
from pipelines.core.errors import UserError
from tests.segmentation.cases import discs, form, sample


def params(path, **changes) -> PrepareParams:
    values = {
        "source": "folder",
        "frames": [0],
        "border_px": 48,
        "gap_px": 48,
        "blocks": 1,
        "path": path and str(path),
        "labels": "instances",
        "classes": 2,
        "pixel_size_um": None,
        "shares": [0.5, 0.25, 0.25],
        "low_percentile": 0.0,
        "high_percentile": 100.0,
        "compression": 0.0,
        "seed": 0,
    }
    return PrepareParams(**{**values, **changes})


@pytest.fixture
def data(tmp_path):
    """Eight grey images of different sizes with two objects each."""
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for k in range(8):
        mask = discs((30 + k, 40), (10, 10, 5), (20, 28, 6))
        image = sample(mask).image[..., 0] + k
        tifffile.imwrite(tmp_path / "images" / f"{k}.tif", image.astype(np.uint16))
        tifffile.imwrite(tmp_path / "masks" / f"{k}.tif", mask.astype(np.uint8))
    return tmp_path


def groups(path, lines, header="file,group"):
    (path / "groups.csv").write_text("\n".join([header, *lines]) + "\n")


@pytest.mark.parametrize("gap", [48, 100])
def test_regions_are_apart_by_the_gap_and_cover_the_rest(gap):
    cut = regions(1100, [0.5, 0.15, 0.35], gap)
    assert cut[0].start == 0 and cut[-1].stop == 1100
    for left, right in pairwise(cut):
        assert right.start - left.stop == gap
    widths = np.array([s.stop - s.start for s in cut])
    np.testing.assert_allclose(widths / widths.sum(), [0.5, 0.15, 0.35], atol=0.001)


def test_a_gap_that_eats_the_field_is_refused():
    with pytest.raises(UserError, match="gap_px"):
        regions(200, [1, 1, 1], 100)


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


def _remove_mask(data):
    (data / "masks" / "3.tif").unlink()


def _other_size(data):
    tifffile.imwrite(data / "masks" / "3.tif", np.zeros((5, 5), dtype=np.uint8))


def _truncate(data):
    path = data / "images" / "3.tif"
    path.write_bytes(path.read_bytes()[:300])


def _truncate_png(data):
    (data / "images" / "3.tif").unlink()
    path = data / "images" / "3.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (33, 40), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:600])


def _no_tiff(data):
    (data / "images" / "3.tif").write_text("hello")


def _float_mask(data):
    tifffile.imwrite(data / "masks" / "3.tif", np.zeros((33, 40), dtype=np.float32))


def _nan(data):
    tifffile.imwrite(data / "images" / "3.tif", np.full((33, 40), np.nan, dtype=np.float32))


def _rgb_among_grey(data):
    rgb = np.random.default_rng(0).integers(0, 255, (33, 40, 3), dtype=np.uint8)
    tifffile.imwrite(data / "images" / "3.tif", rgb)


def _empty(data):
    for path in (data / "images").iterdir():
        path.unlink()


def _no_masks_folder(data):
    (data / "masks").rename(data / "labels")


def _unknown_file(data):
    groups(data, [f"{k}.tif,{k}" for k in range(8)] + ["9.tif,9"])


def _file_without_group(data):
    groups(data, [f"{k}.tif,{k}" for k in range(7)])


def _group_in_two_splits(data):
    lines = [f"{k}.tif,{k},train" for k in range(6)] + ["6.tif,x,validation", "7.tif,x,test"]
    groups(data, lines, "file,group,split")


def _few_groups(data):
    groups(data, [f"{k}.tif,{k % 2}" for k in range(8)])


def _wrong_columns(data):
    groups(data, ["1.tif,1"], "name,patient")


def _duplicate(data):
    for name in ("images", "masks"):
        (data / name / "copy.tif").write_bytes((data / name / "3.tif").read_bytes())


def _colour_mask(data):
    colour = np.random.default_rng(0).integers(0, 255, (33, 40, 3), dtype=np.uint8)
    Image.fromarray(colour).save(data / "masks" / "3.png")
    (data / "masks" / "3.tif").unlink()


def _two_of_a_stem(data):
    (data / "images" / "3.png").write_bytes(b"")


def _no_file(data):
    (data / "images" / "3.tif").write_bytes(b"")


MISTAKES = [
    (_remove_mask, {}, "3.tif: no 3.png or .tif in masks"),
    (_other_size, {}, "masks/3.tif: 5 x 5 px, but its image has 33 x 40"),
    (_truncate, {}, "images/3.tif: cannot be read, damaged or truncated"),
    (_truncate_png, {}, "images/3.png: cannot be read, damaged or truncated"),
    (_no_tiff, {}, "images/3.tif: cannot be read"),
    (_no_file, {}, "images/3.tif: an empty file"),
    (_float_mask, {}, "masks/3.tif: type float32"),
    (_nan, {}, "images/3.tif: holds NaN"),
    (_rgb_among_grey, {}, "images/3.tif: 3 channel"),
    (_empty, {}, "images: holds no PNG or TIFF"),
    (_no_masks_folder, {}, "masks: no such folder"),
    (_unknown_file, {}, "groups.csv: 9.tif is not in images/"),
    (_file_without_group, {}, "groups.csv: 7.tif of images/ has no line"),
    (_group_in_two_splits, {}, "groups.csv: group x is in test and validation"),
    (_few_groups, {}, "2 group(s) found"),
    (_wrong_columns, {}, "groups.csv: columns"),
    (_duplicate, {}, "copy.tif: the same picture as 3.tif"),
    (_colour_mask, {}, "masks/3.png: a colour picture"),
    (_two_of_a_stem, {}, "has the same stem"),
    (lambda data: None, {"labels": "classes"}, "masks/0.tif: class 2, but classes: 2"),
    (lambda data: None, {"labels": "binary"}, "masks/0.tif: 3 values, up to 2"),
    (lambda data: data.rename(data.with_name("gone")), {}, "no such folder"),
]


@pytest.mark.parametrize(("spoil", "changes", "message"), MISTAKES)
def test_every_mistake_is_one_line_that_names_it(data, spoil, changes, message):
    spoil(data)
    with pytest.raises(UserError) as caught:
        folder.load(params(data, **changes))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_further_mistakes_are_counted(data):
    _nan(data)
    tifffile.imwrite(data / "masks" / "5.tif", np.zeros((5, 5), dtype=np.uint8))
    with pytest.raises(UserError, match=r"3\.tif: holds NaN.*\(and 1 more"):
        folder.load(params(data))


def test_a_duplicate_within_a_group_is_allowed(data):
    _duplicate(data)
    lines = [f"{k}.tif,{k}" for k in range(8)] + ["copy.tif,3"]
    groups(data, lines)
    samples = {s.name: s for s in folder.load(params(data))}
    assert samples["copy"].split == samples["3"].split


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
