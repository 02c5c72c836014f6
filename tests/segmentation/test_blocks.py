from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from skimage.measure import label, regionprops_table

from domains.segmentation.predict.blocks import Blocks, Regions, decided
from domains.segmentation.predict.instances import Rule
from domains.segmentation.predict.objects import described
from domains.segmentation.predict.ondisk import OnDisk
from tests.segmentation.cases import discs, form

RULE = Rule(0.5, "distance", 1.0, 5)
SIZES = {"at once": Blocks(10_000, 0, 0.5), "in blocks": Blocks(64, 32, 0.5)}


def regions(tmp_path, labels, probability, image, blocks: Blocks, classes: int = 2) -> Regions:
    numbers = OnDisk.new(tmp_path / f"numbers{blocks.edge}", image.shape[:2], np.int32)
    scratch = tmp_path / f"scratch{blocks.edge}"
    scratch.mkdir()
    rules = form(labels, classes)
    return decided(probability, image, rules, RULE, 1.0, numbers, scratch, blocks)


def expected(numbers, image, confidence) -> pd.DataFrame:
    """What scikit-image says of a label image, in our names."""
    values = regionprops_table(
        numbers,
        np.stack([image.mean(axis=-1), confidence], axis=-1),
        properties=("label", "area", "centroid", "bbox", "intensity_mean"),
    )
    names = ["id", "area_px", "centroid_y", "centroid_x", "top", "left", "bottom", "right"]
    return pd.DataFrame(values).set_axis([*names, "mean_intensity", "mean_confidence"], axis=1)


def picture(shape) -> np.ndarray:
    return np.random.default_rng(1).random((*shape, 3)).astype(np.float32)


@pytest.mark.parametrize("size", SIZES)
def test_discs_across_seams_and_corners_are_one_object_each(tmp_path, size):
    """Seams at 64 and 128: discs on them, on their corners, next to them, and far larger."""
    circles = [(64, 20, 9), (20, 64, 9), (64, 64, 11), (128, 128, 10), (54, 100, 9), (100, 100, 8)]
    mask = discs((200, 330), *circles, (127, 190, 9), (100, 270, 55))
    foreground = np.where(mask > 0, 0.9, 0.2) + 0.01 * np.random.default_rng(0).random(mask.shape)
    probability = np.stack([1 - foreground, foreground, 0 * foreground]).astype(np.float32)
    image = picture(mask.shape)
    found = regions(tmp_path, "instances", probability, image, SIZES[size])
    labels = found[:, :]
    assert sorted(np.unique(labels)) == list(range(len(circles) + 3))
    pairs = np.unique(np.stack([mask.ravel(), labels.ravel()]), axis=1)
    assert pairs.shape[1] == len(circles) + 3  # one to one
    table = described(found.table, "instances", (0.5, 2.0))
    assert list(table["area_um2"]) == list(table.pop("area_px").astype(float))
    table = table.rename(columns={"area_um2": "area_px"})
    pd.testing.assert_frame_equal(
        table.reset_index(drop=True),
        expected(labels, image, foreground),
        check_dtype=False,
        rtol=1e-5,
    )


@pytest.mark.parametrize("size", SIZES)
def test_blocks_that_disagree_do_not_unite_neighbours(tmp_path, size):
    """Touching discs along a seam stay apart: they are the same only if they overlap well."""
    mask = discs((140, 140), *((y, 64, 9) for y in range(12, 130, 15)))
    core = np.where(mask > 0, 0.9, 0.05)
    core[(mask > 0) & (np.roll(mask, 1, axis=0) != mask)] = 0.05
    probability = np.stack([1 - (mask > 0), core, core * 0]).astype(np.float32)
    found = regions(tmp_path, "instances", probability, picture(mask.shape), SIZES[size])
    assert len(found.table) == mask.max()


@pytest.mark.parametrize("kind", ["binary", "classes"])
@pytest.mark.parametrize("size", SIZES)
def test_regions_of_a_class_are_united_across_seams(tmp_path, kind, size):
    """Noise makes regions that wind through many blocks and touch at corners."""
    rng = np.random.default_rng(0)
    count = 2 if kind == "binary" else 3
    probability = rng.dirichlet(np.ones(count), (150, 170)).transpose(2, 0, 1).astype(np.float32)
    classes = probability.argmax(axis=0)
    image = picture(classes.shape)
    blocks = Blocks(SIZES[size].edge, 1, 0.0)
    found = regions(tmp_path, kind, probability, image, blocks, count)
    np.testing.assert_array_equal(found[:, :], classes)
    numbers = label(classes, background=0)
    confidence = np.take_along_axis(probability, classes[None], axis=0)[0]
    wanted = expected(numbers, image, confidence)
    by = ["top", "left", "bottom", "right", "area_px"]
    wanted = wanted.sort_values(by)
    table = described(found.table, kind, None).sort_values(by)
    kinds = table.pop("class")
    assert list(kinds) == [classes[numbers == k][0] for k in wanted["id"]]
    pd.testing.assert_frame_equal(
        table.drop(columns="id").reset_index(drop=True),
        wanted.drop(columns="id").reset_index(drop=True),
        check_dtype=False,
        rtol=1e-4,
    )


def test_an_array_on_disk_reads_and_writes_parts(tmp_path):
    array = OnDisk.new(tmp_path / "raw", (3, 50, 40), np.int32)
    assert not array[:].any()
    array[1, 10:20, 5:9] = np.arange(40).reshape(10, 4)
    assert array[:, 12, 6].tolist() == [0, 9, 0]
    assert (len(array), Path(array.path).stat().st_size) == (3, 3 * 50 * 40 * 4)
    with pytest.raises(FileExistsError):
        OnDisk.new(tmp_path / "raw", (1,), np.int8)
