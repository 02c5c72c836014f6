"""TIFF through tifffile: what an axis is, is as the file says and never guessed from the shape."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import MemoryHandler
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from pipelines.core.errors import UserError

from .picture import Picture, refuse_bomb, spacing
from .raster import open_picture, states_size

_WHITE_IS_ZERO, _RGB, _PALETTE, _CMYK = 0, 2, 3, 5
_ALPHA = (1, 2)  # ExtraSamples: associated, unassociated
_LOSSY = (6, 7, 34892)  # JPEG, old and new
_RESOLUTION_UM = {2: 25_400.0, 3: 10_000.0, 4: 1000.0, 5: 1.0}
_NAMED_UM = {
    "nm": 1e-3,
    "um": 1.0,
    "µm": 1.0,
    "μm": 1.0,
    "\\u00b5m": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "mm": 1e3,
    "cm": 1e4,
    "m": 1e6,
    "inch": 25_400.0,
}


def read_tiff(path: Path) -> Picture:
    """All planes of 8, 16 or 32 bits, grey or RGB, pages or planar, BigTIFF or not."""
    with open_tiff(path) as tif:
        series = only_series(path, tif)
        page = series.keyframe
        refuse_bomb(path, series.size, page.bitspersample / 8)
        if page.photometric == _CMYK:
            raise UserError(f"{path}: colours as CMYK; save it as RGB or grey")
        array = _pixels(path, series)
        one_bit, white = page.bitspersample == 1, _white_is_zero(tif)
        if one_bit and white:
            array = 1 - array
        traits = {
            "palette": page.photometric == _PALETTE,
            "alpha": _has_alpha(page),
            "1 bit": one_bit,
            "lossy": page.compression in _LOSSY,
            "white": white and not one_bit,
        }
        size = spacing_um(tif)
    if traits["alpha"]:
        array = array[..., :-1]
    planes = list(np.ascontiguousarray(array))
    return Picture(planes, size, traits=frozenset(t for t, is_so in traits.items() if is_so))


@contextmanager
def open_tiff(path: Path) -> Iterator[tifffile.TiffFile]:
    """The open file. ValueError for a truncated one, of which tifffile reads the pages it finds
    and only logs that others lack."""
    handler = MemoryHandler(capacity=100)
    handler.setLevel(logging.ERROR)
    logger = logging.getLogger("tifffile")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        with tifffile.TiffFile(path) as tif:
            if not tif.series or handler.buffer:
                raise ValueError("pages lack")
            yield tif
    finally:
        logger.propagate = True
        logger.removeHandler(handler)
    if handler.buffer:
        raise ValueError(handler.buffer[0].getMessage())


def only_series(path: Path, tif: tifffile.TiffFile) -> Any:
    """The file's one series of pages of equal size; smaller copies for viewing do not count."""
    series = [s for s in tif.series if not s.keyframe.is_reduced]
    if len(series) != 1:
        shapes = ", ".join(" x ".join(map(str, s.shape)) for s in series[:3])
        raise UserError(
            f"{path}: pages of different kinds ({shapes}); save those of one kind in a file"
        )
    return series[0]


def spacing_um(tif: tifffile.TiffFile) -> tuple[float, float] | None:
    """(rows, columns) in µm, from OME-XML, ImageJ's unit, or the resolution tags.

    A resolution of 1, 72, 300 … an inch is what software writes unasked, and states nothing.
    """
    if tif.is_ome and (size := _ome_spacing(tif.ome_metadata)) is not None:
        return size
    page = tif.pages.first
    if "XResolution" not in page.tags or "YResolution" not in page.tags:
        return None
    x, y = page.get_resolution()
    if min(x, y) <= 0:
        return None
    named = (tif.imagej_metadata or {}).get("unit") if tif.is_imagej else None
    if named:
        return spacing(1 / y, 1 / x, _NAMED_UM.get(str(named).lower(), np.nan))
    unit = _RESOLUTION_UM.get(int(page.resolutionunit), np.nan)
    if not all(states_size(v * _RESOLUTION_UM[2] / unit) and v != 1 for v in (x, y)):
        return None
    return spacing(1 / y, 1 / x, unit)


def _ome_spacing(xml: str) -> tuple[float, float] | None:
    image = tifffile.xml2dict(xml)["OME"]["Image"]
    pixels = (image[0] if isinstance(image, list) else image)["Pixels"]
    sizes = [
        float(pixels.get(f"PhysicalSize{axis}", np.nan))
        * _NAMED_UM.get(pixels.get(f"PhysicalSize{axis}Unit", "µm").lower(), np.nan)
        for axis in "YX"
    ]
    return spacing(sizes[0], sizes[1], 1.0)


def _has_alpha(page: Any) -> bool:
    extra = page.extrasamples
    named = len(extra) == 1 and extra[0] in _ALPHA
    return named or (page.photometric == _RGB and page.samplesperpixel == 4)


def _white_is_zero(tif: tifffile.TiffFile) -> bool:
    """Whether 0 is white, as the tag says. tifffile and ImageJ write the tag for arrays in which
    0 is the background, and their values are taken as they are."""
    white = tif.pages.first.photometric == _WHITE_IS_ZERO
    return white and not tif.is_shaped and not tif.is_imagej


def _pixels(path: Path, series: Any) -> np.ndarray:
    """(planes, H, W, C) of a series."""
    axes = [(a, n) for a, n in zip(series.axes, series.shape, strict=True) if n > 1 or a in "YX"]
    planes = [a for a, _ in axes if a not in "YXSC"]
    colours = [a for a, _ in axes if a in "SC"]
    if len(planes) > 1 or len(colours) > 1 or len(axes) - len(planes) - len(colours) != 2:
        raise UserError(
            f"{path}: axes {series.axes} of {' x '.join(map(str, series.shape))}; save one image "
            "or one stack of images in a file"
        )
    array = _decoded(path, series).reshape([n for _, n in axes])
    names = [a for a, _ in axes]
    array = array.transpose([names.index(a) for a in (*planes, "Y", "X", *colours)])
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    height, width = (dict(axes)[a] for a in "YX")
    return array.reshape(-1, height, width, dict(axes)[colours[0]] if colours else 1)


def _decoded(path: Path, series: Any) -> np.ndarray:
    try:
        return np.asarray(series.asarray())
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
        return _other_codec(path, series)  # LZW and the like, which tifffile needs a codec for


def _other_codec(path: Path, series: Any) -> np.ndarray:
    """The series' values in its own shape, by OpenCV if 16-bit colour, else by Pillow."""
    page = series.keyframe
    if page.samplesperpixel > 1 and page.bitspersample > 8:
        import cv2

        _, frames = cv2.imreadmulti(str(path), flags=cv2.IMREAD_UNCHANGED)
        order = [2, 1, 0, 3][: page.samplesperpixel]
        array = np.stack([frame[..., order] for frame in frames])
    else:
        from PIL import ImageSequence

        with open_picture(path, "TIFF") as image:
            array = np.stack([np.array(frame) for frame in ImageSequence.Iterator(image)])
        if page.photometric == _WHITE_IS_ZERO and page.bitspersample <= 8:
            array = ~array  # Pillow has made white the highest
    if "S" in series.axes and not series.axes.endswith("S"):
        array = np.moveaxis(array, -1, -3)
    return array.reshape(series.shape).astype(series.dtype, copy=False)
