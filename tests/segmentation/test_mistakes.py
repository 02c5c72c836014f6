"""A folder of the user's own: every mistake in it is one line."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from domains.segmentation.prepare import folder
from pipelines.core.errors import UserError
from tests.segmentation.cases import groups, params


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
    tifffile.imwrite(data / "masks" / "3.tif", np.full((33, 40), 0.5, dtype=np.float32))


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
    (_remove_mask, {}, "images/3.tif: no 3.png or the like in masks/, add it"),
    (_other_size, {}, "masks/3.tif: 5 x 5 px, but its image has 33 x 40"),
    (_truncate, {}, "images/3.tif: cannot be read, damaged or truncated"),
    (_truncate_png, {}, "images/3.png: cannot be read, damaged or truncated"),
    (_no_tiff, {}, "images/3.tif: cannot be read"),
    (_no_file, {}, "images/3.tif: an empty file"),
    (_float_mask, {}, "masks/3.tif: values between whole numbers"),
    (_nan, {}, "images/3.tif: holds NaN"),
    (_rgb_among_grey, {}, "images/3.tif: 3 channel"),
    (_empty, {}, "images: holds no file of type .png, .tif"),
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
