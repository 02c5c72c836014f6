"""Images and masks from PNG, TIFF, JPEG, NIfTI and DICOM files, with one line for what is wrong."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipelines.core.errors import UserError
from pipelines.core.quiet import quiet

from .picture import Picture

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".nii", ".nii.gz", ".dcm")

_NO_IMAGE = {
    "palette": "a colour-mapped picture; save it as grey or RGB",
    "1 bit": "1 bit a pixel, black or white only, as a mask is; give the picture itself",
    "white": "stores white as 0; save it with black as 0",
}
_NO_MASK = {
    "palette": "a colour-mapped mask, numbered by its palette; save the labels as a grey picture",
    "alpha": "a mask with transparency; save the labels as a grey picture without alpha",
    "lossy": "a JPEG mask, whose labels are blurred; save it as PNG or TIFF from the original",
    "white": "stores white as 0; save it with background as 0",
}


def suffix_of(path: Path) -> str:
    """The one of SUFFIXES that the file's name ends with, else an empty text.

    >>> suffix_of(Path("head.NII.GZ"))
    '.nii.gz'
    """
    return next((s for s in SUFFIXES if path.name.lower().endswith(s)), "")


def stem_of(path: Path) -> str:
    """The file's name without its suffix, `.nii.gz` being one.

    >>> stem_of(Path("patient1/head.nii.gz"))
    'head'
    """
    return path.name[: len(path.name) - len(suffix_of(path))]


def read_planes(path: Path, slice_axis: int = 2) -> Picture:
    """The picture's planes (H, W, C), C = 1 or 3, of the file's own type, and its pixel size.

    slice_axis: the axis of a NIfTI volume that counts the planes; a plane's rows and columns are
    the other two axes in their order. Transparency is dropped; DICOM values are rescaled
    (Hounsfield for CT). Raises UserError for what cannot be read, has another shape, or holds NaN
    or infinite values.
    """
    picture = _read(path, slice_axis, _NO_IMAGE)
    for plane in picture.planes:
        if plane.shape[2] not in (1, 3):
            raise UserError(f"{path}: {plane.shape[2]} channels; save it as grey or RGB")
        if plane.dtype.kind == "f" and not np.isfinite(plane).all():
            raise UserError(f"{path}: holds NaN or infinite values; replace them")
    return picture


def read_mask_planes(path: Path, slice_axis: int = 2) -> Picture:
    """The mask's planes (H, W) int32. Floats are taken if they are whole numbers.

    Raises UserError for a colour, colour-mapped, transparent or lossy mask, and for fractions.
    """
    picture = _read(path, slice_axis, _NO_MASK)
    return replace(picture, planes=[_labels(path, plane) for plane in picture.planes])


def read_image(path: Path) -> np.ndarray:
    """(H, W, C) image of a file with one plane; see `read_planes`."""
    planes = read_planes(path).planes
    if len(planes) != 1:
        raise UserError(f"{path}: {len(planes)} planes; one image in a file is needed")
    return planes[0]


def _labels(path: Path, plane: np.ndarray) -> np.ndarray:
    if not (plane[..., :1] == plane).all():
        raise UserError(f"{path}: a colour picture; a mask is grey, its values are the labels")
    labels = plane[..., 0]
    if labels.dtype.kind == "f" and not (labels == np.rint(labels)).all():
        raise UserError(f"{path}: values between whole numbers or NaN; save labels as integers")
    low, high = labels.min(), labels.max()
    if low < 0 or high > 2**31 - 1:
        raise UserError(f"{path}: values {low} to {high}; labels are 0 to {2**31 - 1}")
    return labels.astype(np.int32)


def _read(path: Path, slice_axis: int, refused: dict[str, str]) -> Picture:
    suffix = suffix_of(path)
    if not suffix:
        raise UserError(f"{path}: not one of {', '.join(SUFFIXES)}; convert it")
    if path.stat().st_size == 0:
        raise UserError(f"{path}: an empty file; copy it again")
    try:
        with warnings.catch_warnings(), quiet():
            warnings.simplefilter("ignore")  # a library's remarks on a header are not the user's
            picture = _reader(suffix, slice_axis)(path)
    except UserError:
        raise
    except Exception as error:  # the libraries raise whatever the damage leads them to
        reason = " ".join(str(error).split())[:80] or type(error).__name__
        raise UserError(
            f"{path}: cannot be read, damaged or truncated ({reason}); copy or save it again"
        ) from None
    for trait in sorted(picture.traits & refused.keys()):
        raise UserError(f"{path}: {refused[trait]}")
    for plane in picture.planes:
        if plane.dtype.kind not in "buif":
            raise UserError(f"{path}: type {plane.dtype}; save it as 8 or 16 bit or float")
        if not plane.size:
            raise UserError(f"{path}: has no pixels; save it again")
    native = [p.astype(p.dtype.newbyteorder("="), copy=False) for p in picture.planes]
    return replace(picture, planes=native)


def _reader(suffix: str, slice_axis: int) -> Callable[[Path], Picture]:
    """The function for a format; its library is loaded only where it is needed."""
    if suffix in (".tif", ".tiff"):
        from .tiff import read_tiff

        return read_tiff
    if suffix in (".nii", ".nii.gz"):
        from .nifti import read_nifti

        return lambda path: read_nifti(path, slice_axis)
    if suffix == ".dcm":
        from .dicom import read_dicom

        return read_dicom
    from .raster import read_jpeg, read_png

    return read_png if suffix == ".png" else read_jpeg
