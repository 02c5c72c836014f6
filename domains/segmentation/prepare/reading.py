"""Images and masks from PNG and TIFF files, with one line for whatever is wrong with one."""

from pathlib import Path

import numpy as np

from pipelines.core.errors import UserError

SUFFIXES = (".png", ".tif", ".tiff")


def read_image(path: Path) -> np.ndarray:
    """(H, W, C) image, C = 1 or 3, of the file's own type: 8 or 16 bit, or float.

    A fourth channel (transparency) is dropped. Raises UserError for what cannot be read, has
    another shape, or holds NaN or infinite values.
    """
    array = _read(path)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim == 3 and array.shape[0] in (3, 4) and array.shape[2] not in (1, 3, 4):
        array = np.moveaxis(array, 0, -1)  # TIFF with planes one after the other
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise UserError(f"{path}: shape {array.shape}; one grey or RGB image in a file is needed")
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    if array.dtype.kind not in "uif":
        raise UserError(f"{path}: type {array.dtype}; save it as 8 or 16 bit or float")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UserError(f"{path}: holds NaN or infinite values; replace them")
    return np.ascontiguousarray(array[..., :3] if array.shape[2] == 4 else array)


def read_mask(path: Path) -> np.ndarray:
    """(H, W) int64 mask. Raises UserError for a float or colour mask."""
    array = _read(path)
    if array.ndim == 3 and array.shape[2] in (3, 4):
        if not (array[..., :1] == array[..., :3]).all():
            raise UserError(f"{path}: a colour picture; a mask is grey, its values are the labels")
        array = array[..., 0]
    if array.ndim != 2:
        raise UserError(f"{path}: shape {array.shape}; a mask has height and width only")
    if array.dtype.kind not in "uib":
        raise UserError(f"{path}: type {array.dtype}; save the mask with whole numbers")
    if array.min(initial=0) < 0 or array.max(initial=0) > 2**31 - 1:
        raise UserError(f"{path}: values {array.min()} to {array.max()}; labels start at 0")
    return array.astype(np.int64)


def _read(path: Path) -> np.ndarray:
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(f"{path}: not a PNG or TIFF file; convert it")
    if path.stat().st_size == 0:
        raise UserError(f"{path}: an empty file; copy it again")
    try:
        array = _png(path) if path.suffix.lower() == ".png" else _tiff(path)
    except UserError:
        raise
    except Exception as error:  # the libraries raise whatever the damage leads them to
        reason = " ".join(str(error).split())[:80] or type(error).__name__
        raise UserError(f"{path}: cannot be read, damaged or truncated ({reason})") from None
    if array.size == 0:
        raise UserError(f"{path}: has no pixels")
    return np.squeeze(array) if array.ndim > 3 else array


def _png(path: Path) -> np.ndarray:
    from PIL import Image

    with Image.open(path) as image:
        image.load()  # finds a truncated file
        if image.mode in ("LA", "PA", "RGBA"):
            image = image.convert("L" if image.mode == "LA" else "RGB")
        array = np.asarray(image)  # a palette's indices are the labels of a mask
    deep_colour = array.ndim == 3 and path.read_bytes()[24] == 16
    return _deep_colour(path) if deep_colour else array


def _deep_colour(path: Path) -> np.ndarray:
    """16-bit RGB, which Pillow would cut to 8 bit."""
    import cv2

    array = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return np.ascontiguousarray(array[..., 2::-1])


def _tiff(path: Path) -> np.ndarray:
    import tifffile

    try:
        return np.asarray(tifffile.imread(path))
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
    from PIL import Image

    with Image.open(path) as image:  # LZW and the like, which tifffile needs a codec for
        image.load()
        return np.asarray(image)
