"""Photographs from JPEG, PNG, TIFF and DICOM files, with one line for what is wrong."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from pipelines.core.bombs import is_bomb
from pipelines.core.errors import UserError
from pipelines.core.quiet import quiet

FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".dcm": "DICOM",
}
_TWELVE_BITS = 4095  # what many cameras give, and programs write into 16 bits as it is
_LEAST, _MOST = 32, 200_000_000  # px along the shorter side; px in all


def read_photograph(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB; a grey photograph in three equal channels, 16 bits cut to 8.

    Raises UserError for what is no readable photograph.
    """
    require_file(path)
    dicom = path.suffix.lower() == ".dcm"
    try:
        with warnings.catch_warnings(), quiet():
            warnings.simplefilter("ignore")  # a library's remarks on a header are not the user's
            picture = _read_dicom(path) if dicom else _read_picture(path)
    except UserError:
        raise
    except UnidentifiedImageError:
        raise UserError(
            f"{path}: cannot be read, damaged or of a kind that is not known, such as a TIFF of "
            "floats; save it with 8 or 16 bit"
        ) from None
    except Exception as error:  # the libraries raise whatever the damage leads them to
        reason = " ".join(str(error).split())[:80] or type(error).__name__
        raise UserError(
            f"{path}: cannot be read, damaged or truncated ({reason}); copy or save it again"
        ) from None
    return _checked(path, picture)


def require_file(path: Path) -> None:
    """UserError for what cannot be a photograph, as far as it shows without opening it."""
    if not path.is_file():
        raise UserError(f"{path}: not found; correct its name in the table, or copy it there")
    if path.suffix.lower() not in FORMATS:
        raise UserError(f"{path}: not one of {', '.join(FORMATS)}; convert it")
    if path.stat().st_size == 0:
        raise UserError(f"{path}: an empty file; copy it again")


def _read_picture(path: Path) -> np.ndarray:
    Image.MAX_IMAGE_PIXELS = _MOST
    with Image.open(path, formats=sorted(set(FORMATS.values()) - {"DICOM"})) as image:
        _refuse_large(path, image.width * image.height)
        if image.format != "JPEG" and is_bomb(path.stat().st_size, image.width * image.height / 8):
            raise UserError(
                f"{path}: declares {image.width} x {image.height} px in {path.stat().st_size} "
                "bytes, a decompression bomb or a damaged header; save it again"
            )
        if getattr(image, "n_frames", 1) != 1:
            raise UserError(f"{path}: {image.n_frames} pages; save one photograph in a file")
        if image.mode in ("CMYK", "YCbCr", "LAB", "HSV", "1"):
            raise UserError(f"{path}: colours as {image.mode}; save it as RGB or grey")
        image.load()  # finds a truncated file
        upright = ImageOps.exif_transpose(image)
        if upright.mode in ("P", "PA", "RGBA", "LA"):
            upright = upright.convert("RGBA").convert("RGB")
        return np.array(upright)


def _read_dicom(path: Path) -> np.ndarray:
    import pydicom
    from pydicom.filereader import read_file_meta_info
    from pydicom.pixels import pixel_array
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    # pydicom would inflate it as a whole, however large it grows.
    if read_file_meta_info(path).get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        raise UserError(f"{path}: a deflated DICOM file; inflate it, for example with dcmconv +te")
    data: Any = pydicom.dcmread(path)
    if "PixelData" not in data:
        raise UserError(f"{path}: a DICOM file without pixels; give the photographs only")
    if int(data.get("NumberOfFrames") or 1) != 1:
        raise UserError(f"{path}: {data.NumberOfFrames} frames; save one photograph in a file")
    if data.PhotometricInterpretation == "PALETTE COLOR":
        raise UserError(f"{path}: colours by a look-up table; save it as RGB")
    _refuse_large(path, int(data.Rows) * int(data.Columns))
    most = 2 ** int(data.BitsStored) - 1
    array = pixel_array(data).astype(np.int64)  # colours as RGB
    if data.PixelRepresentation == 1:  # signed: the lowest value is black
        array += (most + 1) // 2
    if data.PhotometricInterpretation == "MONOCHROME1":  # low is bright
        array = most - array
    return (array.clip(0, most) * 255 // most).astype(np.uint8)


def _refuse_large(path: Path, pixels: int) -> None:
    if pixels > _MOST:
        raise UserError(
            f"{path}: declares {pixels:.3g} pixels, a decompression bomb or a damaged header; "
            f"save it with at most {_MOST:.0e}"
        )


def _checked(path: Path, picture: np.ndarray) -> np.ndarray:
    if picture.ndim == 2:
        picture = picture[..., None]
    if picture.ndim != 3 or picture.shape[2] not in (1, 3):
        raise UserError(f"{path}: {picture.shape} values; save it as RGB or grey")
    # Pillow reads 16-bit grey as either, in the file's order of bytes.
    if (picture.dtype.kind, picture.dtype.itemsize) in (("u", 2), ("i", 4)):
        if picture.max() <= _TWELVE_BITS:
            raise UserError(
                f"{path}: no value above {picture.max()} in a file of 16 bits, which is black; "
                "scale it to 0 to 65535, or save it with 8 bits"
            )
        picture = (picture // 257).clip(0, 255).astype(np.uint8)
    if picture.dtype != np.uint8:
        raise UserError(f"{path}: type {picture.dtype}; save it as 8 or 16 bit")
    if min(picture.shape[:2]) < _LEAST:
        high, wide = picture.shape[:2]
        raise UserError(f"{path}: {high} x {wide} px; give at least {_LEAST} x {_LEAST}")
    return np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture
