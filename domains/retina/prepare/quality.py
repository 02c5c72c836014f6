"""Is a photograph good enough to be read? Blur, exposure and field, measured in the picture."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from .field import prepared

SIZE = 128  # px at which quality is measured; smaller drawn eyes are measured as they are
MOST_BLUR = 0.70
EXPOSURES = (0.20, 0.96)
LEAST_FIELD = 0.75
_DARK, _GLARE = 0.045, 0.97
_BANDS = (0.7, 1.2, 3.0)  # px: deviations of the Gaussians between which detail is fine, coarse
# Grey values of 255: fine detail that JPEG and rounding leave in a picture of nothing.
_FLOOR = 0.25
# Share of white noise's deviation that is left as fine detail: 0.19, and some to be safe.
_NOISE = 0.22
_SECOND = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)  # deviation 6


def quality(picture: np.ndarray) -> tuple[float, float, float]:
    """Blur, exposure and field of a prepared picture (n, n, 3) uint8.

    blur: 0 crisp, 1 blank: 1 − fine / coarse, at least 0, of the mean absolute detail in the green
    channel between Gaussians of .7 and 1.2 px, and of 1.2 and 3 px (at 128 px). A ratio does not
    ask how much there is to see, as contrast would; lack of focus takes the finest first;
    exposure: mean of the brightest channel, 0 to 1, over the circle that fills the square;
    field: share of that circle that is neither dark nor glaring (green saturated).
    """
    small = picture
    if picture.shape[0] > SIZE:
        small = cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    red, green, blue = cv2.split(small)
    light = cv2.max(cv2.max(red, green), blue)
    seen = (light > 255 * _DARK) & (green < 255 * _GLARE)
    circle = _circle(len(small), 1.0)
    return _blur(green, seen), float(light[circle].mean() / 255), float(seen[circle].mean())


def quality_of(photograph: np.ndarray, picture: np.ndarray) -> tuple[float, float, float]:
    """`quality` of what is `prepared` of a photograph, be the picture as small as it may.

    Of few pixels even a sharp photograph fills none with fine detail.
    """
    small = prepared(photograph, SIZE) if len(picture) < SIZE else picture
    return quality(picture if small is None else small)


def usable(blur: float, exposure: float, field: float) -> bool:
    """Whether the measures of `quality` pass."""
    low, high = EXPOSURES
    return blur <= MOST_BLUR and low <= exposure <= high and field >= LEAST_FIELD


def _blur(green: np.ndarray, seen: np.ndarray) -> float:
    grey = green.astype(np.float32)
    # Neither the field's edge nor that of a reflex is an edge of the eye.
    inner = cv2.erode(seen.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    inner &= _circle(len(green), 0.86)
    if not inner.any():
        return 1.0
    near, middle, wide = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in _BANDS)
    fine = float(np.abs(near - middle)[inner].mean())
    coarse = float(np.abs(middle - wide)[inner].mean())
    noise = float(np.hypot(_NOISE * _noise(grey, inner), _FLOOR))
    fine = max(fine**2 - noise**2, 0.0) ** 0.5
    return float(1 - min(fine / coarse, 1.0)) if fine else 1.0


def _noise(grey: np.ndarray, inner: np.ndarray) -> float:
    """Deviation of white noise by its second differences (Immerkær 1996), median for the mean."""
    rough = np.abs(cv2.filter2D(grey, -1, _SECOND))[inner]
    return float(np.median(rough)) / (0.6745 * 6)


@cache
def _circle(size: int, share: float) -> np.ndarray:
    axis = (np.arange(size) - (size - 1) / 2) ** 2
    return axis[:, None] + axis <= (share * size / 2) ** 2
