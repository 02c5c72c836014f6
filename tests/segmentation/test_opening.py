import numpy as np
import pytest
import tifffile

from domains.segmentation.predict import opening
from domains.segmentation.predict.opening import examined
from domains.segmentation.prepare.intensity import bounds
from domains.segmentation.prepare.reading import read_planes
from pipelines.core.errors import UserError
from tests.segmentation.applied import objects_of, trained
from tests.segmentation.cases import discs, form


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch):
    monkeypatch.setattr(opening, "LARGE", 0)
    monkeypatch.setattr(opening, "BUFFER", 1000)


def noise(*shape, kind=np.uint16):
    return np.random.default_rng(0).integers(0, 250, shape).astype(kind)


GREY = {"photometric": "minisblack"}
WAYS = {
    "plain": (noise(70, 90), GREY),
    "big-endian": (noise(70, 90), {**GREY, "byteorder": ">"}),
    "strips": (noise(70, 90), {**GREY, "compression": "zlib", "rowsperstrip": 9}),
    "predictor": (noise(70, 90), {**GREY, "compression": "zlib", "predictor": True}),
    "tiles": (noise(70, 90), {**GREY, "compression": "zlib", "tile": (32, 48)}),
    "float": (noise(70, 90, kind=np.float32), {**GREY, "tile": (32, 48)}),
    "BigTIFF": (noise(70, 90), {**GREY, "bigtiff": True}),
    "stack": (noise(4, 70, 90), {**GREY, "compression": "zlib"}),
    "RGB": (noise(70, 90, 3, kind=np.uint8), {"photometric": "rgb"}),
    "RGB tiles": (noise(70, 90, 3), {"photometric": "rgb", "tile": (32, 48)}),
    "planar": (noise(3, 70, 90), {"photometric": "rgb", "planarconfig": "separate"}),
    "RGBA": (noise(70, 90, 4, kind=np.uint8), {"photometric": "rgb", "extrasamples": [2]}),
}


@pytest.mark.parametrize("name", WAYS)
def test_large_files_give_the_pixels_that_ordinary_reading_gives(tmp_path, name):
    array, options = WAYS[name]
    tifffile.imwrite(tmp_path / "a.tif", array, **options)
    expected = read_planes(tmp_path / "a.tif").planes
    rules = form(channels=expected[0].shape[2])
    source = examined(tmp_path / "a.tif", rules)
    assert source.large
    assert source.count == len(expected)
    for plane, whole in zip(source.planes(rules, tmp_path / "raw"), expected, strict=True):
        assert plane.shape == whole.shape
        np.testing.assert_array_equal(plane[:, :], whole)
        np.testing.assert_array_equal(plane[3:50, 40:90], whole[3:50, 40:90])
        np.testing.assert_array_equal(bounds(plane, rules), bounds(whole, rules))
    assert not (tmp_path / "raw").exists()


def test_files_of_other_kinds_are_read_as_ever(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", noise(20, 30) > 100)
    with pytest.raises(UserError, match=r"a\.tif: 1 bit"):
        examined(tmp_path / "a.tif", form())


def test_a_truncated_file_is_found_before_any_work(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", noise(70, 90))
    bytes_ = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(bytes_[:-500])
    with pytest.raises(UserError, match=r"a\.tif: cannot be read, damaged or truncated"):
        examined(tmp_path / "a.tif", form())


def test_a_damaged_strip_is_one_line(tmp_path):
    options = {**GREY, "compression": "zlib", "rowsperstrip": 10}
    tifffile.imwrite(tmp_path / "a.tif", noise(70, 90), **options)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        place = tif.pages.first.dataoffsets[4]
    with (tmp_path / "a.tif").open("r+b") as file:
        file.seek(place)
        file.write(bytes(300))
    source = examined(tmp_path / "a.tif", form())
    with pytest.raises(UserError, match=r"a\.tif: damaged"):
        list(source.planes(form(), tmp_path / "raw"))


TAGS = [
    (
        {"resolution": (400, 800), "resolutionunit": "CENTIMETER"},
        25 * 12.5,
        ((400, 1), (800, 1), 3),
    ),
    ({"resolution": (72, 72), "resolutionunit": "INCH"}, 0.25, ((72, 1), (72, 1), 2)),
    (
        {"imagej": True, "resolution": (2, 2), "metadata": {"unit": "um"}},
        0.25,
        ((20000, 1), (20000, 1), 3),
    ),
    (
        {"ome": True, "metadata": {"PhysicalSizeX": 0.1, "PhysicalSizeY": 0.4}},
        0.04,
        ((100000, 1), (25000, 1), 3),
    ),
]


@pytest.mark.parametrize(("options", "area", "tags"), TAGS)
@pytest.mark.parametrize("large", [False, True])
def test_pixel_size_and_resolution_tags(tmp_path, options, area, tags, large, monkeypatch):
    """The file's own pixel size counts, else that of the training (0.5 µm here)."""
    monkeypatch.setattr(opening, "LARGE", 0 if large else 2**26)
    mask = discs((40, 50), (20, 20, 9))
    tifffile.imwrite(tmp_path / "a.tif", (50 + 100 * mask).astype(np.uint8), **options)
    table = objects_of(trained(tmp_path), tmp_path / "a.tif")
    np.testing.assert_allclose(table["area_um2"] / table["area_px"], area)
    with tifffile.TiffFile(tmp_path / "out" / "a.tif") as tif:
        found = tif.pages.first.tags
        assert tuple(found[code].value for code in (282, 283, 296)) == tags
