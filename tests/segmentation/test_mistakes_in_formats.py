"""Files of the user's own that look right and are not: each is one line that names the file."""

import gzip
import struct

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGLSLossless

from domains.segmentation.prepare import folder
from domains.segmentation.prepare.reading import read_planes
from pipelines.core.errors import UserError
from tests.segmentation.cases import discs, groups, params
from tests.segmentation.files import dicom, nifti, png

SHAPE = (33, 40)  # of the fixture's fourth picture, 3.tif
MASK = discs(SHAPE, (10, 10, 5), (20, 28, 6)).astype(np.uint8)
GREY = np.random.default_rng(0).integers(0, 255, SHAPE, np.uint8)
STACK = np.random.default_rng(0).integers(0, 255, (5, *SHAPE), np.uint8)
FROM_FILES = {"pixel_size_um": "from_files"}


def _image(data, name="3.tif"):
    """Where to write an image in the place of 3.tif."""
    (data / "images" / "3.tif").unlink()
    return data / "images" / name


def _mask(data, name="3.tif"):
    (data / "masks" / "3.tif").unlink()
    return data / "masks" / name


def _palette(array):
    picture = Image.fromarray(array, mode="P")
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    return picture


def _grey_stack(path, stack=STACK):
    tifffile.imwrite(path, stack, photometric="minisblack")


def _sized(data, per_cm=(2e4, 2e4), last=None):
    """Write a resolution into all images, another into the last one."""
    for path in sorted((data / "images").iterdir()):
        pixels = tifffile.imread(path)
        stated = last if last and path.name == "7.tif" else per_cm
        tifffile.imwrite(path, pixels, resolution=stated, resolutionunit="CENTIMETER")


def _one_without_size(data):
    _sized(data)
    tifffile.imwrite(_image(data), GREY)


def _alpha(data):
    Image.fromarray(MASK).convert("LA").save(_mask(data, "3.png"))


def _cmyk(data):
    Image.fromarray(GREY).convert("CMYK").save(_image(data, "3.jpg"))


def _bomb_png(data):
    png(_image(data, "3.png"), np.zeros((1, 1), np.uint8), (60_000, 60_000), 8, 0)


def _bomb_png_below_pillows_own_limit(data):
    png(_image(data, "3.png"), np.zeros((1, 1), np.uint8), (26_000, 26_000), 8, 0)


def _bomb_nifti(data):
    header = bytearray(nibabel.Nifti1Image(np.zeros((2, 2, 2), np.int16), np.eye(4)).to_bytes())
    struct.pack_into("<8h", header, 40, 3, 30_000, 30_000, 30_000, 1, 1, 1, 1)
    _image(data, "3.nii.gz").write_bytes(gzip.compress(bytes(header)))


def _truncated_nifti(data):
    path = _image(data, "3.nii.gz")
    nifti(path, np.random.default_rng(0).integers(0, 2000, (40, 40, 5), np.int16))
    path.write_bytes(path.read_bytes()[:-4000])


def _nan_nifti(data):
    nifti(_image(data, "3.nii"), np.full((*SHAPE, 1), np.nan, np.float32))


def _nifti_pair(data, mask_shape=(*SHAPE, 5), **mask):
    nifti(_image(data, "3.nii"), np.moveaxis(STACK, 0, -1))
    nifti(_mask(data, "3.nii"), np.zeros(mask_shape, np.uint8), **mask)


def _no_pixels(data):
    dicom(_image(data, "3.dcm"), None)


def _no_decoder(data):
    path = _image(data, "3.dcm")
    dicom(path, GREY)
    file = dcmread(path)
    file.file_meta.TransferSyntaxUID = JPEGLSLossless
    file.PixelData = encapsulate([b"no matter what"])
    file.save_as(path)


def _truncated_dicom(data):
    path = _image(data, "3.dcm")
    dicom(path, GREY)
    path.write_bytes(path.read_bytes()[:-500])


def _all_dicom(data, patients):
    for path, patient in zip(sorted((data / "images").iterdir()), patients, strict=True):
        dicom(path.with_suffix(".dcm"), tifffile.imread(path), PatientID=patient)
        path.unlink()


def _patient_in_two_folders(data):
    _all_dicom(data, "aabbccdd")
    for name, suffix in (("images", "dcm"), ("masks", "tif")):
        for k in range(8):
            scan = data / name / f"scan{k // 3}"
            scan.mkdir(exist_ok=True)
            (data / name / f"{k}.{suffix}").rename(scan / f"{k}.{suffix}")


def _no_foreground(data):
    splits = ["train"] * 6 + ["validation", "test"]
    groups(data, [f"{k}.tif,{k},{splits[k]}" for k in range(8)], "file,group,split")
    for path in sorted((data / "masks").iterdir())[:6]:
        tifffile.imwrite(path, np.zeros_like(tifffile.imread(path)))


def _loop(data):
    (data / "images" / "more").symlink_to(data / "images")


def _two_of_a_stem(data):
    (data / "images" / "a").mkdir()
    for name in ("x.png", "x.nii.gz"):
        (data / "images" / "a" / name).write_bytes(b"x")


def _one_name(data):
    for name in ("images", "masks"):
        (data / name / "a").mkdir()
        (data / name / "3.tif").rename(data / name / "a" / "b.tif")
        (data / name / "4.tif").rename(data / name / "a-b.tif")


def _two_kinds_of_pages(data):
    with tifffile.TiffWriter(_image(data)) as tif:
        for array in (GREY, GREY[:9]):
            tif.write(array, metadata=None)


MISTAKES = {
    "palette PNG": (lambda d: _palette(MASK).save(_mask(d, "3.png")), "masks/3.png: a colour-map"),
    "palette TIFF": (lambda d: _palette(MASK).save(_mask(d)), "masks/3.tif: a colour-mapped mask"),
    "palette image": (lambda d: _palette(GREY).save(_image(d)), "images/3.tif: a colour-mapped"),
    "alpha": (_alpha, "masks/3.png: a mask with transparency; save the labels as a grey"),
    "1 bit": (lambda d: tifffile.imwrite(_image(d), MASK > 0), "images/3.tif: 1 bit a pixel"),
    "white is 0": (
        lambda d: tifffile.imwrite(_mask(d), MASK, photometric="miniswhite", metadata=None),
        "masks/3.tif: stores white as 0; save it with background as 0",
    ),
    "JPEG mask": (
        lambda d: Image.fromarray(MASK).save(_mask(d, "3.jpg")),
        "masks/3.jpg: a JPEG mask, whose labels are blurred; save it as PNG or TIFF",
    ),
    "CMYK": (_cmyk, "images/3.jpg: colours as CMYK; save it as RGB or grey"),
    "complex": (
        lambda d: tifffile.imwrite(_image(d), GREY.astype(np.complex64)),
        "images/3.tif: type complex64; save it as",
    ),
    "stack with a flat mask": (
        lambda d: _grey_stack(_image(d)),
        "masks/3.tif: 1 plane(s), but its image has 5; give one mask for each plane",
    ),
    "4-D TIFF": (
        lambda d: _grey_stack(_image(d), np.stack([STACK] * 2)),
        "images/3.tif: axes QQYX of 2 x 5 x 33 x 40; save one image or one stack",
    ),
    "4-D NIfTI": (
        lambda d: nifti(_image(d, "3.nii"), np.stack([STACK] * 2)),
        "images/3.nii: 4 axes (2 x 5 x 33 x 40); save one volume",
    ),
    "pages of two kinds": (_two_kinds_of_pages, "images/3.tif: pages of different kinds (33 x 40,"),
    "PNG bomb": (_bomb_png, "images/3.png: declares more than 5e+08 pixels, a decompression bomb"),
    "smaller PNG bomb": (_bomb_png_below_pillows_own_limit, "images/3.png: declares more than"),
    "NIfTI bomb": (_bomb_nifti, "images/3.nii.gz: declares 2.7e+13 pixels in"),
    "truncated .nii.gz": (_truncated_nifti, "images/3.nii.gz: cannot be read, damaged or trunc"),
    "NaN in NIfTI": (_nan_nifti, "images/3.nii: holds NaN or infinite values; replace them"),
    "NIfTI shapes": (
        lambda d: _nifti_pair(d, (33, 41, 5)),
        "masks/3.nii: 33 x 41 px, but its image has 33 x 40; save both in the same size",
    ),
    "NIfTI planes": (lambda d: _nifti_pair(d, (*SHAPE, 6)), "masks/3.nii: 6 plane(s), but its ima"),
    "NIfTI affines": (
        lambda d: _nifti_pair(d, shift=3.0),
        "masks/3.nii: another affine than its image, it lies elsewhere; resample the mask",
    ),
    "no pixels": (_no_pixels, "images/3.dcm: a DICOM file without pixels (CT Image Storage); give"),
    "no decoder": (_no_decoder, "images/3.dcm: JPEG-LS Lossless Image Compression cannot be dec"),
    "truncated DICOM": (_truncated_dicom, "images/3.dcm: cannot be read, damaged or truncated"),
    "one patient": (
        lambda d: _all_dicom(d, ["x"] * 8),
        "images: all 8 DICOM files have the PatientID x, one group; name three or more groups in "
        "groups.csv",
    ),
    "a patient twice": (
        _patient_in_two_folders,
        "images/scan1/3.dcm: PatientID b as scan0/2.dcm of another group (scan1, scan0); name",
    ),
    "no foreground": (_no_foreground, "masks: the 6 masks of the train split hold no foreground"),
    "link loop": (_loop, "images/more: a link back to a folder it lies in; remove the link"),
    "a stem twice": (_two_of_a_stem, "images/a/x.png: x.nii.gz has the same stem; rename one"),
    "a name twice": (_one_name, "images/a/b.tif: would be called a-b as a-b.tif is; rename one"),
}
SIZES = {
    "no pixel size": (_one_without_size, "images/3.tif: states no pixel size; set prepare.pixel_s"),
    "mixed pixel sizes": (
        lambda d: _sized(d, last=(3e4, 3e4)),
        "images/7.tif: pixels of 0.333333 µm, but 0.tif has 0.5; resample all to one pixel size",
    ),
    "pixels not square": (
        lambda d: _sized(d, last=(2e4, 1e4)),
        "images/7.tif: pixels of 1 x 0.5 µm are not square; resample the image, or set",
    ),
}
ALL = [*((v, {}) for v in MISTAKES.values()), *((v, FROM_FILES) for v in SIZES.values())]


@pytest.mark.parametrize(("mistake", "changes"), ALL, ids=[*MISTAKES, *SIZES])
def test_every_mistake_is_one_line_that_names_it(data, mistake, changes, capfd):
    spoil, message = mistake
    spoil(data)
    with pytest.raises(UserError) as caught:
        folder.load(params(data, **changes))
    assert f"{data}/{message}" in str(caught.value)
    assert "\n" not in str(caught.value) and "; " in str(caught.value)
    assert capfd.readouterr().err == ""


def test_pixel_sizes_matter_only_if_the_files_are_asked(data):
    _sized(data, last=(2e4, 1e4))
    settings = params(data, pixel_size_um=0.7)
    assert folder.form(settings, folder.load(settings)).pixel_size_um == 0.7


def test_a_large_blank_picture_is_no_bomb(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3000, 3000), np.uint8), compression="zlib")
    Image.new("L", (3000, 3000)).save(tmp_path / "a.png")
    nifti(tmp_path / "a.nii.gz", np.zeros((300, 300, 30), np.uint8))
    for name in ("a.tif", "a.png", "a.nii.gz"):
        assert not read_planes(tmp_path / name).planes[0].any()
