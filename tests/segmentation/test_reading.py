"""Every format: values arrive as they were written, and the pixel size with them."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.uid import RLELossless

from domains.segmentation.prepare.reading import (
    read_image,
    read_mask_planes,
    read_planes,
    stem_of,
    suffix_of,
)
from pipelines.core.errors import UserError
from tests.segmentation.cases import discs
from tests.segmentation.files import dicom, nifti, png


def _random(kind: type, *shape: int) -> np.ndarray:
    return (np.random.default_rng(0).random(shape) * 250).astype(kind)


def _same(path: Path, planes: np.ndarray, slice_axis: int = 2) -> None:
    """The file's planes are these (planes, H, W, C), in value and type."""
    back = read_planes(path, slice_axis).planes
    assert {plane.dtype for plane in back} == {planes.dtype}
    np.testing.assert_array_equal(np.stack(back), planes)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32, np.float32])
@pytest.mark.parametrize("channels", [1, 3])
def test_tiff_images_of_every_type_come_back(tmp_path, kind, channels):
    image = _random(kind, 12, 17, channels)
    photometric = "rgb" if channels == 3 else "minisblack"
    picture = image if channels == 3 else image[..., 0]
    tifffile.imwrite(tmp_path / "a.tif", picture, photometric=photometric)
    back = read_image(tmp_path / "a.tif")
    assert back.dtype == kind
    np.testing.assert_array_equal(back, image)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
def test_multi_page_tiffs_come_back_whatever_the_compression(tmp_path, kind, compression):
    stack = _random(kind, 5, 12, 17)
    if compression == "lzw":  # which tifffile alone does not know
        first, *others = [Image.fromarray(plane) for plane in stack]
        options = {"save_all": True, "append_images": others, "compression": "tiff_lzw"}
        first.save(tmp_path / "a.tif", **options)
    else:
        tifffile.imwrite(
            tmp_path / "a.tif", stack, compression=compression, photometric="minisblack"
        )
    _same(tmp_path / "a.tif", stack[..., None])


@pytest.mark.parametrize("options", [{}, {"bigtiff": True}, {"byteorder": ">"}, {"tile": (16, 16)}])
def test_what_an_axis_is_stands_in_the_tiff(tmp_path, options):
    planar = _random(np.uint16, 3, 12, 17)
    tifffile.imwrite(tmp_path / "rgb.tif", planar, photometric="rgb", **options)
    _same(tmp_path / "rgb.tif", np.moveaxis(planar, 0, -1)[None])
    tifffile.imwrite(tmp_path / "pages.tif", planar, photometric="minisblack", **options)
    _same(tmp_path / "pages.tif", planar[..., None])
    pages = _random(np.uint8, 4, 12, 17, 3)
    tifffile.imwrite(tmp_path / "both.tif", pages, photometric="rgb", **options)
    _same(tmp_path / "both.tif", pages)


def test_lzw_colour_of_16_bit_keeps_its_depth(tmp_path):
    image = _random(np.uint16, 12, 17, 3) * 200
    option = [cv2.IMWRITE_TIFF_COMPRESSION, 5]
    cv2.imwritemulti(str(tmp_path / "a.tif"), [image[..., ::-1]] * 2, option)
    _same(tmp_path / "a.tif", np.stack([image, image]))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_images_of_8_and_16_bit_come_back_without_transparency(tmp_path, kind, channels):
    image = np.random.default_rng(0).integers(0, np.iinfo(kind).max, (12, 17, channels), kind)
    order = [2, 1, 0, 3][:channels] if channels > 1 else [0]
    cv2.imwrite(str(tmp_path / "a.png"), image[..., order])
    _same(tmp_path / "a.png", image[None, ..., :3])


def test_grey_png_with_transparency_keeps_16_bits(tmp_path):
    image = _random(np.uint16, 12, 17, 2) * 200
    png(tmp_path / "a.png", image.astype(">u2"), (17, 12), depth=16, colour=4)
    _same(tmp_path / "a.png", image[None, ..., :1])


def test_a_photograph_is_turned_as_the_camera_says(tmp_path):
    photograph = Image.fromarray(_random(np.uint8, 12, 17, 3))
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: turn clockwise to view
    photograph.save(tmp_path / "a.jpg")
    photograph.save(tmp_path / "b.jpg", exif=exif)
    upright = np.rot90(read_image(tmp_path / "a.jpg"), -1)
    np.testing.assert_array_equal(read_image(tmp_path / "b.jpg"), upright)


@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.float32])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_nifti_planes_lie_along_the_axis(tmp_path, kind, axis):
    volume = _random(kind, 5, 6, 7)
    nifti(tmp_path / "a.nii.gz", volume)
    _same(tmp_path / "a.nii.gz", np.moveaxis(volume, axis, 0)[..., None], axis)
    nifti(tmp_path / "flat.nii", volume[:, :, 0])
    _same(tmp_path / "flat.nii", volume[None, :, :, 0, None], axis)


def test_dicom_values_are_rescaled(tmp_path):
    stored = _random(np.int16, 6, 8)
    dicom(tmp_path / "ct.dcm", stored, RescaleSlope=1, RescaleIntercept=-1024)
    hounsfield = (stored.astype(np.float32) - 1024)[None, ..., None]
    _same(tmp_path / "ct.dcm", hounsfield)
    data = dcmread(tmp_path / "ct.dcm")
    data.compress(RLELossless)
    data.save_as(tmp_path / "rle.dcm")
    _same(tmp_path / "rle.dcm", hounsfield)
    dicom(tmp_path / "plain.dcm", stored)
    _same(tmp_path / "plain.dcm", stored[None, ..., None])


def test_dicom_frames_have_values_of_their_own(tmp_path):
    frames = _random(np.uint16, 3, 6, 8)
    own = []
    for k in range(3):
        slope, group = Dataset(), Dataset()
        slope.RescaleSlope, slope.RescaleIntercept = k + 1, 0
        group.PixelValueTransformationSequence = [slope]
        own.append(group)
    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing = [0.3, 0.3]
    shared.PixelMeasuresSequence = [measures]
    groups = {
        "SharedFunctionalGroupsSequence": [shared],
        "PerFrameFunctionalGroupsSequence": own,
    }
    dicom(tmp_path / "a.dcm", frames, **groups)
    _same(
        tmp_path / "a.dcm",
        frames[..., None].astype(np.float32)
        * np.arange(1, 4, dtype=np.float32)[:, None, None, None],
    )
    assert read_planes(tmp_path / "a.dcm").pixel_size_um == pytest.approx(300)


def test_dicom_in_colour_and_in_negative(tmp_path):
    colour = _random(np.uint8, 6, 8, 3)
    dicom(tmp_path / "rgb.dcm", colour)
    _same(tmp_path / "rgb.dcm", colour[None])
    for kind, low_and_high in ((np.uint16, 65535), (np.int16, -1)):
        stored = _random(kind, 6, 8)
        dicom(tmp_path / "x.dcm", stored, PhotometricInterpretation="MONOCHROME1")
        expected = (low_and_high - stored.astype(int)).astype(kind)
        _same(tmp_path / "x.dcm", expected[None, ..., None])


@pytest.mark.parametrize("program", ["tifffile", "raw", "group4", "tiff_lzw"])
def test_one_bit_masks_come_back_whoever_wrote_them(tmp_path, program):
    mask = discs((20, 20), (6, 6, 3), (14, 14, 4)) > 0
    if program == "tifffile":  # writes False as white, and means it not
        tifffile.imwrite(tmp_path / "m.tif", mask)
    else:
        Image.fromarray(mask).save(tmp_path / "m.tif", compression=program)
    np.testing.assert_array_equal(read_mask_planes(tmp_path / "m.tif").planes[0], mask)


def test_whole_numbers_are_labels_whatever_their_type(tmp_path):
    labels = discs((20, 20), (6, 6, 3), (14, 14, 4))
    for name, kind in (("a.tif", np.float32), ("b.tif", np.uint16), ("c.tif", np.int32)):
        tifffile.imwrite(tmp_path / name, labels.astype(kind))
    nifti(tmp_path / "d.nii", labels.astype(np.float64))
    dicom(tmp_path / "e.dcm", labels.astype(np.uint8))
    for name in ("a.tif", "b.tif", "c.tif", "d.nii", "e.dcm"):
        (mask,) = read_mask_planes(tmp_path / name).planes
        assert mask.dtype == np.int32
        np.testing.assert_array_equal(mask, labels)


def _tiff(path, **options):
    tifffile.imwrite(path, np.zeros((3, 8, 9), np.uint8), photometric="minisblack", **options)


MICRON = {"resolution": (2, 2), "imagej": True, "metadata": {"axes": "ZYX", "unit": "micron"}}
OME = {"axes": "ZYX", "PhysicalSizeX": 500, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.5}
SIZES = [
    ("cm.tif", lambda p: _tiff(p, resolution=(2e4, 2e4), resolutionunit="CENTIMETER"), 0.5),
    ("inch.tif", lambda p: _tiff(p, resolution=(50800, 50800), resolutionunit="INCH"), 0.5),
    ("imagej.tif", lambda p: _tiff(p, **MICRON), 0.5),
    ("a.ome.tif", lambda p: _tiff(p, ome=True, metadata=OME), 0.5),
    ("none.tif", lambda p: _tiff(p, resolution=(2, 2), resolutionunit="NONE"), None),
    ("unasked.tif", lambda p: _tiff(p, resolution=(72, 72), resolutionunit="INCH"), None),
    ("default.tif", lambda p: _tiff(p, resolution=(1, 1), resolutionunit="CENTIMETER"), None),
    ("a.png", lambda p: Image.new("L", (9, 8)).save(p, dpi=(50800, 50800)), 0.5),
    ("unasked.png", lambda p: Image.new("L", (9, 8)).save(p, dpi=(96, 96)), None),
    ("a.jpg", lambda p: Image.new("L", (9, 8)).save(p, dpi=(300, 300)), None),
    ("mm.nii", lambda p: nifti(p, np.zeros((3, 4, 5), np.uint8), (0.6, 0.6, 2)), 600),
    ("um.nii", lambda p: nifti(p, np.zeros((3, 4, 5), np.uint8), (0.6, 0.6, 2), "micron"), 0.6),
    ("no.nii", lambda p: nifti(p, np.zeros((3, 4, 5), np.uint8), unit="unknown"), None),
    ("a.dcm", lambda p: dicom(p, np.zeros((3, 4), np.uint8), PixelSpacing=[0.7, 0.7]), 700),
    ("b.dcm", lambda p: dicom(p, np.zeros((3, 4), np.uint8), ImagerPixelSpacing=[0.1, 0.1]), 100),
    ("no.dcm", lambda p: dicom(p, np.zeros((3, 4), np.uint8)), None),
]


@pytest.mark.parametrize(("name", "write", "size"), SIZES, ids=[name for name, _, _ in SIZES])
def test_the_pixel_size_is_the_files_own(tmp_path, name, write, size):
    write(tmp_path / name)
    found = read_planes(tmp_path / name).pixel_size_um
    assert found == (size and pytest.approx(size, rel=1e-4))


def test_rows_come_before_columns_in_every_spacing(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.zeros((8, 9), np.uint8),
        resolution=(2e4, 1e4),
        resolutionunit="CENTIMETER",
    )
    nifti(tmp_path / "a.nii", np.zeros((3, 4, 5), np.uint8), (0.1, 0.2, 0.3))
    dicom(tmp_path / "a.dcm", np.zeros((3, 4), np.uint8), PixelSpacing=[0.2, 0.1])
    assert read_planes(tmp_path / "a.tif").spacing_um == (1.0, 0.5)
    assert read_planes(tmp_path / "a.nii", 1).spacing_um == pytest.approx((100, 300))
    assert read_planes(tmp_path / "a.dcm").spacing_um == pytest.approx((200, 100))
    assert read_planes(tmp_path / "a.tif").pixel_size_um is None


@pytest.mark.parametrize("share", [0.95, 0.6, 0.3])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate"])
def test_no_page_of_a_truncated_tiff_is_lost_without_a_word(tmp_path, share, compression, capfd):
    first, *others = [Image.fromarray(_random(np.uint8, 30, 40)) for _ in range(5)]
    path = tmp_path / "a.tif"
    first.save(path, save_all=True, append_images=others, compression=compression)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(UserError, match="damaged or truncated"):
        read_planes(path)
    assert capfd.readouterr().err == ""


def test_suffixes_of_two_parts():
    assert suffix_of(Path("a/b.c.NII.gz")) == ".nii.gz"
    assert stem_of(Path("a/b.c.NII.gz")) == "b.c"
    assert suffix_of(Path("a.bmp")) == "" and stem_of(Path("a.tif")) == "a"
