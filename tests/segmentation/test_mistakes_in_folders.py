"""Folders that read well and yet cannot be meant: one line each."""

import numpy as np
import pytest
import tifffile

from domains.segmentation.prepare import folder
from pipelines.core.errors import UserError
from tests.segmentation.cases import groups, params


def _none_to_validate_on(data):
    splits = ["validation"] * 2 + ["train"] * 5 + ["test"]
    groups(data, [f"{k}.tif,{k},{splits[k]}" for k in range(8)], "file,group,split")
    for path in sorted((data / "masks").iterdir())[:2]:
        tifffile.imwrite(path, np.zeros_like(tifffile.imread(path)))


def _unnumbered(data):
    for path in (data / "masks").iterdir():
        tifffile.imwrite(path, (255 * (tifffile.imread(path) > 0)).astype(np.uint8))


def _classes(data):
    for path in (data / "masks").iterdir():
        mask = tifffile.imread(path)
        again = mask + np.roll(mask, 20, axis=1) * (mask == 0)  # each number in two places
        tifffile.imwrite(path, again.astype(np.uint8))


def _split_folders(data):
    for name in ("images", "masks"):
        for k in range(8):
            place = data / name / ("train" if k < 6 else "Val")
            place.mkdir(exist_ok=True)
            (data / name / f"{k}.tif").rename(place / f"{k}.tif")


def _bitmap(data):
    (data / "images" / "9.bmp").write_bytes(b"BM")


def _blank_group(data):
    groups(data, [f"{k}.tif,{' ' if k == 3 else k}" for k in range(8)])


def _thin(data):
    for name in ("images", "masks"):
        tifffile.imwrite(data / name / "3.tif", np.ones((1, 40), np.uint8))


def _long_name(data):
    for name in ("images", "masks"):
        (data / name / "3.tif").rename(data / name / f"{'x' * 201}.tif")


MISTAKES = {
    "nothing to validate on": (
        _none_to_validate_on,
        "masks: the 2 masks of the validation split hold no foreground",
    ),
    "unnumbered": (_unnumbered, "masks: every mask has one value above 0, in several places; set"),
    "classes": (_classes, "masks: 16 of 16 numbers lie in several places of a mask"),
    "folders of splits": (_split_folders, "images: subfolders Val and train would be drawn"),
    "another format": (_bitmap, "images/9.bmp: not one of .png, "),
    "a blank group": (_blank_group, "groups.csv: line 5 has an empty field; fill it"),
    "thin": (_thin, "images/3.tif: 1 x 40 px; give at least 2 x 2"),
    "long name": (
        _long_name,
        f"images/{'x' * 201}.tif: 201 bytes of path make a file name too long",
    ),
}


@pytest.mark.parametrize(("spoil", "message"), MISTAKES.values(), ids=MISTAKES)
def test_the_mistake_is_one_line_with_its_remedy(data, spoil, message):
    spoil(data)
    with pytest.raises(UserError) as caught:
        folder.load(params(data))
    assert f"{data}/{message}" in str(caught.value)
    assert "\n" not in str(caught.value) and "; " in str(caught.value)


def test_blanks_around_a_name_do_not_divide_a_group(data):
    groups(data, [f"{k}.tif,{' ' * (k % 2)}{k // 2 % 3}" for k in range(8)])
    assert len({(s.group, s.split) for s in folder.load(params(data))}) == 3


def test_masks_of_one_value_in_one_place_are_objects(data):
    for path in (data / "masks").iterdir():
        tifffile.imwrite(path, (tifffile.imread(path) == 1).astype(np.uint8))
    assert len(folder.load(params(data))) == 8
