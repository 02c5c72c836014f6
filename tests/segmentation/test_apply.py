import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from domains.segmentation.predict import blocks, opening
from domains.segmentation.predict.apply import apply
from domains.segmentation.predict.blocks import Blocks
from domains.segmentation.predict.files import read_probabilities, write_labels, write_probabilities
from pipelines.core.errors import UserError
from tests.segmentation.applied import objects_of, trained
from tests.segmentation.cases import discs, sample


def bright(mask, kind=np.uint8):
    return (20 + 150 * (mask > 0)).astype(kind)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_objects_of_images_of_any_type_and_size(tmp_path, kind, channels):
    mask = discs((71, 150), (20, 30, 9), (50, 110, 12))
    picture = bright(mask, kind)
    picture = np.stack([picture] * 3, axis=-1) if channels == 3 else picture
    photometric = "rgb" if channels == 3 else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", picture, photometric=photometric)
    table = objects_of(trained(tmp_path, channels), tmp_path / "a.tif")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out" / "a.tif"), mask)
    assert list(table.columns[:4]) == ["file", "id", "area_px", "area_um2"]
    areas = np.bincount(mask.ravel())[1:]
    assert list(table["area_px"]) == list(areas)
    np.testing.assert_allclose(table["area_um2"], areas * 0.25)
    np.testing.assert_allclose(table[["centroid_y", "centroid_x"]], [[20, 30], [50, 110]])
    np.testing.assert_array_equal(
        table[["top", "left", "bottom", "right"]].iloc[0], [11, 21, 30, 40]
    )
    assert (table["mean_intensity"] == 170).all()
    assert (table["mean_confidence"] > 0.99).all()


@pytest.mark.parametrize("labels", ["instances", "binary"])
def test_a_large_image_in_blocks_gives_what_it_gives_at_once(tmp_path, labels, monkeypatch):
    rng = np.random.default_rng(0)
    places = [(y, x, r) for y in range(12, 200, 24) for x in range(12, 260, 24) for r in [8]]
    moved = [(y + rng.integers(-3, 4), x + rng.integers(-3, 4), r) for y, x, r in places]
    mask = discs((201, 263), *moved)
    tifffile.imwrite(tmp_path / "a.tif", bright(mask), compression="zlib", rowsperstrip=17)
    tables, images = [], []
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
        if name == "parts":
            monkeypatch.setattr(opening, "LARGE", 0)
            monkeypatch.setattr(blocks, "INSTANCES", Blocks(64, 32, 0.5))
            monkeypatch.setattr(blocks, "REGIONS", Blocks(64, 1, 0.0))
        inputs = trained(tmp_path / name, labels=labels)
        tables.append(objects_of(inputs, tmp_path / "a.tif").drop(columns="id"))
        images.append(tifffile.imread(tmp_path / name / "out" / "a.tif"))
    one, other = (t.sort_values(["top", "left"], ignore_index=True) for t in tables)
    pd.testing.assert_frame_equal(one, other)
    assert len(one) == len(places)
    pairs = np.unique(np.stack([i.ravel() for i in images]), axis=1)
    assert pairs.shape[1] == images[0].max() + 1  # the same objects, in another order
    assert images[0].max() == images[1].max() == (1 if labels == "binary" else len(places))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((20, 20, 3), dtype=np.uint8), "bad.tif: RGB, but the network learnt from grey"),
        (np.full((20, 20), np.nan, dtype=np.float32), "bad.tif: holds NaN"),
        (np.zeros((4, 5, 20, 20), dtype=np.uint8), "bad.tif: axes"),
    ],
)
@pytest.mark.parametrize("large", [False, True])
def test_images_that_do_not_fit_are_refused(tmp_path, array, message, large, monkeypatch):
    monkeypatch.setattr(opening, "LARGE", 0 if large else 2**26)
    inputs = trained(tmp_path)
    tifffile.imwrite(tmp_path / "good.tif", np.zeros((20, 20), dtype=np.uint8))
    photometric = "rgb" if array.ndim == 3 else "minisblack"
    tifffile.imwrite(tmp_path / "bad.tif", array, photometric=photometric)
    (tmp_path / "out").mkdir()
    with pytest.raises(UserError, match=message):
        apply(inputs, [tmp_path / "bad.tif", tmp_path / "good.tif"], tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_other_files_are_refused(tmp_path):
    inputs = trained(tmp_path)
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(UserError, match=r"a\.txt: not one of \.png"):
        apply(inputs, [tmp_path / "a.txt"], tmp_path)


def test_an_image_without_objects_has_an_empty_table(tmp_path):
    tifffile.imwrite(tmp_path / "dark.tif", np.zeros((30, 30), dtype=np.uint8))
    assert len(objects_of(trained(tmp_path), tmp_path / "dark.tif")) == 0


def test_a_stack_has_a_page_and_a_slice_for_each_plane(tmp_path):
    masks = [discs((40, 50), (20, 20, r), (20, 40, 5)) for r in (5, 7, 9)]
    tifffile.imwrite(
        tmp_path / "z.tif", np.stack(list(map(bright, masks))), photometric="minisblack"
    )
    Image.fromarray(bright(masks[0])).save(tmp_path / "one.png")
    table = objects_of(trained(tmp_path), tmp_path / "z.tif", tmp_path / "one.png")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out" / "z.tif"), masks)
    assert list(table.columns[:3]) == ["file", "slice", "id"]
    assert list(table["slice"]) == [0, 0, 1, 1, 2, 2, 0, 0]
    assert list(table["id"]) == [1, 2] * 4
    assert list(table["area_px"])[:6:2] == [(m == 1).sum() for m in masks]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_volume_has_labels_in_its_own_space(tmp_path, axis):
    import nibabel

    masks = [discs((40, 50), (20, 20, r)) for r in (5, 7, 9)]
    volume = np.stack([bright(m, np.int16) for m in masks], axis=axis)
    affine = np.array([[0, 2, 0, 5], [-3, 0, 0, 6], [0, 0, 4, 7], [0, 0, 0, 1]], dtype=float)
    nibabel.save(nibabel.Nifti1Image(volume, affine), tmp_path / "head.nii.gz")
    table = objects_of(trained(tmp_path, slice_axis=axis), tmp_path / "head.nii.gz")
    found = nibabel.load(tmp_path / "out" / "head.nii.gz")
    np.testing.assert_array_equal(np.asarray(found.dataobj), np.stack(masks, axis=axis))
    np.testing.assert_array_equal(found.affine, affine)
    zooms = np.delete(found.header.get_zooms(), axis)
    np.testing.assert_allclose(table["area_um2"] / table["area_px"], np.prod(zooms) * 1e6)


def test_confidence_is_calibrated(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", bright(discs((40, 50), (20, 20, 9))))
    said = []
    for temperature in (1.0, 4.0):
        folder = tmp_path / str(temperature)
        folder.mkdir()
        table = objects_of(trained(folder, temperature=temperature), tmp_path / "a.tif")
        said.append(float(table["mean_confidence"].iloc[0]))
    assert said[0] > 0.9999
    assert said[1] == pytest.approx(1 / (1 + np.exp(-10 / 4)), abs=0.01)


def test_label_files_are_the_same_bytes_when_written_twice(tmp_path):
    labels = discs((50, 60), (20, 20, 9), (30, 45, 8))
    for name in ("a.tif", "b.tif"):
        write_labels(tmp_path / name, labels)
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), labels)
    write_labels(tmp_path / "c.tif", labels + 70000)
    assert tifffile.imread(tmp_path / "c.tif").max() == 70002


def test_large_label_files_are_tiled(tmp_path):
    labels = np.arange(600 * 1030, dtype=np.int32).reshape(600, 1030) % 50_000
    write_labels(tmp_path / "a.tif", labels)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), labels)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.pages.first.is_tiled


def test_probabilities_come_back_sample_by_sample(tmp_path):
    samples = [sample(np.zeros(shape, dtype=np.int32)) for shape in ((5, 7), (3, 11))]
    maps = [np.random.default_rng(k).random((3, *s.mask.shape)) for k, s in enumerate(samples)]
    write_probabilities(tmp_path, iter(maps), samples)
    for before, after in zip(maps, read_probabilities(tmp_path, samples), strict=True):
        np.testing.assert_allclose(after, before, atol=1e-3)
    with pytest.raises(ValueError, match="pixels"):
        list(read_probabilities(tmp_path, samples[:1]))
    assert not list(read_probabilities(tmp_path, samples, "validation"))


@pytest.mark.parametrize("fraction", [(0, 0), (1, 0)])
def test_a_resolution_that_is_no_number_is_left_out(tmp_path, fraction):
    picture = tmp_path / "a.tif"
    tifffile.imwrite(picture, bright(discs((30, 40), (15, 20, 6))), resolution=(7, 7))
    with tifffile.TiffFile(picture, mode="r+b") as tif:
        tif.pages.first.tags[282].overwrite(fraction)
    assert len(objects_of(trained(tmp_path), picture)) == 1


def test_an_image_that_is_nearly_all_objects_is_told_of(tmp_path, capsys):
    picture = tmp_path / "a.tif"
    tifffile.imwrite(picture, bright(np.pad(np.ones((28, 38), np.int32), 1)))
    objects_of(trained(tmp_path), picture)
    said = capsys.readouterr().err
    assert (
        said.startswith(f"warning: {picture}: ") and "of the images learnt from at most 40%" in said
    )


def test_the_table_says_which_pixel_size_it_took(tmp_path):
    files = [tmp_path / "stated.tif", tmp_path / "printed.tif"]
    for path, resolution in zip(files, ((20_000, 3), (300, 2)), strict=True):
        picture = bright(discs((30, 40), (15, 20, 6)))
        tifffile.imwrite(path, picture, resolution=resolution[:1] * 2, resolutionunit=resolution[1])
    table = objects_of(trained(tmp_path), *files)
    assert list(table["pixel_size_from"]) == ["file", "training data"]


def test_pixels_of_another_size_than_those_learnt_from_are_told_of(tmp_path, capsys):
    files = [tmp_path / f"{k}.tif" for k in range(3)]
    for path, per_cm in zip(files, (20_000, 100_000, 100_000), strict=True):  # 0.5 and 0.1 µm
        picture = bright(discs((30, 40), (15, 20, 6)))
        tifffile.imwrite(path, picture, resolution=(per_cm, per_cm), resolutionunit="CENTIMETER")
    objects_of(trained(tmp_path), *files)
    said = capsys.readouterr().err
    assert said.startswith(f"warning: {files[1]}: pixels of 0.1 µm") and said.count("\n") == 1
    assert "0.5 µm" in said and "(and 1 more files)" in said
