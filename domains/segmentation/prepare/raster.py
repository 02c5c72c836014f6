"""PNG and JPEG through Pillow, 16-bit colour through OpenCV."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from pipelines.core.errors import UserError

from .picture import Picture, refuse_bomb, spacing

PIXELS = 500_000_000
_INCH_UM = 25_400.0
_UNASKED = (1, 72, 96, 100, 150, 200, 300, 600)  # pixels an inch


def open_picture(path: Path, kind: str) -> Image.Image:
    """The picture's header, by Pillow; UserError if it declares more than PIXELS pixels."""
    Image.MAX_IMAGE_PIXELS = PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            return Image.open(path, formats=[kind])
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise UserError(
                f"{path}: declares more than {PIXELS:.0e} pixels, a decompression bomb or a "
                "damaged header; save it in parts or as TIFF"
            ) from None


def read_png(path: Path) -> Picture:
    """One plane, and the pixel size of the chunk pHYs."""
    with open_picture(path, "PNG") as image:
        with path.open("rb") as file:
            depth, colour = file.read(26)[24:]
        refuse_bomb(path, image.width * image.height, len(image.getbands()) * depth / 8)
        image.load()  # finds a truncated file
        traits = {
            "palette": image.mode in ("P", "PA"),
            "alpha": image.mode in ("LA", "RGBA"),
            "1 bit": image.mode == "1",
        }
        size = _spacing(image.info.get("dpi"))
        if depth == 16 and colour != 0:
            array = _deep_colour(path, grey=colour == 4)
        else:
            opaque = {"LA": "L", "RGBA": "RGB"}.get(image.mode)
            array = np.array(image.convert(opaque) if opaque else image)
    planes = [array.reshape(*array.shape[:2], -1)]
    return Picture(planes, size, traits=frozenset(t for t, is_so in traits.items() if is_so))


def read_jpeg(path: Path) -> Picture:
    """One plane, upright as the camera says. Its density is one for printing, no pixel size."""
    with open_picture(path, "JPEG") as image:
        if image.mode not in ("L", "RGB"):
            raise UserError(f"{path}: colours as {image.mode}; save it as RGB or grey")
        array = np.array(ImageOps.exif_transpose(image))
    return Picture([array.reshape(*array.shape[:2], -1)], traits=frozenset({"lossy"}))


def states_size(per_inch: float) -> bool:
    """Whether a density is not one that software writes unasked, for screens and printers."""
    return not any(abs(per_inch - default) < 0.5 for default in _UNASKED)


def _spacing(dpi: tuple[float, float] | None) -> tuple[float, float] | None:
    """(rows, columns) in µm from pixels an inch (x, y), which pHYs states per metre."""
    if dpi is None or min(dpi) <= 0 or not all(map(states_size, dpi)):
        return None
    return spacing(1 / dpi[1], 1 / dpi[0], _INCH_UM)


def _deep_colour(path: Path, grey: bool) -> np.ndarray:
    """16-bit colour without transparency, which Pillow would cut to 8 bit."""
    import cv2

    array = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return np.ascontiguousarray(array[..., :1] if grey else array[..., 2::-1])
