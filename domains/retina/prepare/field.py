"""The circular field of view of a fundus photograph: found, cut out, brought to one size."""

from __future__ import annotations

import cv2
import numpy as np

_LIT = 0.08  # of a row or column that belongs to the field
_LEAST = 0.05  # of the picture's area that a field of view must have


def prepared(picture: np.ndarray, size: int) -> np.ndarray | None:
    """(size, size, 3) uint8, the field of view filling the square, 0 outside its circle.

    picture: (H, W, 3) uint8. None where no field of view is found, as in a black picture.
    """
    found = field_of_view(picture)
    if found is None:
        return None
    square = _cut(picture, *found)
    shrinks = square.shape[0] > size
    small = cv2.resize(
        square, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )
    axis = (np.arange(size) - (size - 1) / 2) ** 2
    small[axis[:, None] + axis > (size / 2) ** 2] = 0
    return small


def field_of_view(picture: np.ndarray) -> tuple[float, float, float] | None:
    """Centre (row, column) and diameter, px, of the lit disc; None where there is none.

    The disc may be cut off above and below, or on the sides, as many cameras do: its diameter is
    the longer of the two extents.
    """
    red, green, blue = cv2.split(picture)
    light = cv2.blur(cv2.max(cv2.max(red, green), blue), (3, 3))
    counts = np.bincount(light.ravel(), minlength=256).cumsum()
    top = int(np.searchsorted(counts, 0.99 * light.size))
    if top < 16:
        return None
    lit = light > max(0.08 * top, 6.0)
    # A row or column counts if a share of it is lit: a letter or a speck is not the field.
    rows = np.flatnonzero(lit.mean(axis=1) > _LIT)
    columns = np.flatnonzero(lit.mean(axis=0) > _LIT)
    if len(rows) == 0 or len(columns) == 0 or lit.mean() < _LEAST:
        return None
    high, wide = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    return (rows[0] + rows[-1]) / 2, (columns[0] + columns[-1]) / 2, float(max(high, wide))


def _cut(picture: np.ndarray, row: float, column: float, diameter: float) -> np.ndarray:
    """The square around the field, black where it leaves the picture."""
    side = max(round(diameter), 1)
    top, left = round(row - (side - 1) / 2), round(column - (side - 1) / 2)
    height, width = picture.shape[:2]
    square = np.zeros((side, side, 3), dtype=np.uint8)
    r0, r1 = max(top, 0), min(top + side, height)
    c0, c1 = max(left, 0), min(left + side, width)
    square[r0 - top : r1 - top, c0 - left : c1 - left] = picture[r0:r1, c0:c1]
    return square
