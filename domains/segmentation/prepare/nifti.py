"""NIfTI volumes through nibabel."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.core.errors import UserError

from .picture import Picture, refuse_bomb, spacing

_LONGEST = 2**24  # bytes of a header with its extensions, which are read as a whole
_UNIT_UM = {"meter": 1e6, "mm": 1e3, "micron": 1.0}


def read_nifti(path: Path, slice_axis: int) -> Picture:
    """The planes along an axis of the volume, their rows and columns the other two in order."""
    import nibabel

    _refuse_long_header(path)
    image = nibabel.load(path)
    shape = list(image.shape)
    while len(shape) > 2 and shape[-1] == 1:
        shape.pop()
    if len(shape) not in (2, 3):
        raise UserError(
            f"{path}: {len(image.shape)} axes ({' x '.join(map(str, image.shape))}); save one "
            "volume or slice in a file"
        )
    refuse_bomb(path, int(np.prod(image.shape)), image.get_data_dtype().itemsize)
    array = _values(image).reshape(shape)
    # The header's float32 0.6 is 0.6, not 0.60000002.
    zooms = [float(str(zoom)) for zoom in image.header.get_zooms()[: len(shape)]]
    if len(shape) == 2:
        array = array[None]
    else:
        array = np.ascontiguousarray(np.moveaxis(array, slice_axis, 0))
        del zooms[slice_axis]
    unit = image.header.get_xyzt_units()[0]
    # Without a unit every tool reads mm, but 1 x 1 is then what a header holds unasked.
    known = _UNIT_UM.get(unit, 1e3 if any(z != 1 for z in zooms) else np.nan)
    size = spacing(zooms[0], zooms[1], known)
    return Picture(list(array[..., None]), size, affine=image.affine)


def _refuse_long_header(path: Path) -> None:
    """UserError if the pixels are said to begin so late that a packed file could be a bomb."""
    with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
        head = file.read(176)
    for order in "<>":
        kind = struct.unpack_from(f"{order}i", head)[0]
        where = {348: ("f", 108), 540: ("q", 168)}.get(kind)  # NIfTI-1, NIfTI-2
        begins = struct.unpack_from(order + where[0], head, where[1])[0] if where else 0
        if begins > _LONGEST:
            raise UserError(
                f"{path}: declares a header of {begins:.3g} bytes, a decompression bomb or a "
                "damaged header; save it again"
            )


def _values(image: Any) -> np.ndarray:
    """The stored values, as float32 if the header scales them."""
    data = image.dataobj
    if (data.slope, data.inter) == (1.0, 0.0):
        return np.asarray(data.get_unscaled())
    return np.asarray(data, dtype=np.float32)
