"""Is a photograph good enough to be read? Blur, exposure and field, measured in the picture."""

from __future__ import annotations

import cv2
import numpy as np

SIZE = 128  # px at which quality is measured, whatever the picture's size
MOST_BLUR = 0.75
EXPOSURES = (0.20, 0.96)
LEAST_FIELD = 0.75
_DARK, _GLARE = 0.045, 0.97


def quality(picture: np.ndarray) -> tuple[float, float, float]:
    """Blur, exposure and field of a prepared picture (n, n, 3) uint8.

    blur: 1 / (1 + c), 0 crisp, 1 blank, where c is the contrast of fine detail in the green
    channel, the mean over the field of |G₁ − G₂| / G₂ in percent (Gaussians of σ = 1 and 2 px at
    128 px);
    exposure: mean of the brightest channel, 0 to 1, over the circle that fills the square;
    field: share of that circle that is neither dark nor glaring (green saturated).
    """
    small = picture
    if picture.shape[0] != SIZE:
        small = cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    red, green, blue = cv2.split(small)
    light = cv2.max(cv2.max(red, green), blue)[_CIRCLE]
    seen = (light > 255 * _DARK) & (green[_CIRCLE] < 255 * _GLARE)
    return _blur(green), float(light.mean() / 255), float(seen.mean())


def usable(blur: float, exposure: float, field: float) -> bool:
    """Whether the measures of `quality` pass."""
    low, high = EXPOSURES
    return blur <= MOST_BLUR and low <= exposure <= high and field >= LEAST_FIELD


def _blur(green: np.ndarray) -> float:
    grey = green.astype(np.float32)
    near = cv2.GaussianBlur(grey, (0, 0), 1)  # noise is no detail
    wide = cv2.GaussianBlur(grey, (0, 0), 2)
    contrast = 100 * np.abs(near - wide)[_INNER] / (wide[_INNER] + 4)
    return float(1 / (1 + contrast.mean()))


def _circle(share: float) -> np.ndarray:
    axis = (np.arange(SIZE) - (SIZE - 1) / 2) ** 2
    return axis[:, None] + axis <= (share * SIZE / 2) ** 2


_CIRCLE, _INNER = _circle(1.0), _circle(0.86)  # the edge of the field is no edge of the eye
