"""Warping error: what is left of the difference when borders may be bent but not broken.

Jain et al. 2010, "Boundary learning by optimization with topological constraints", CVPR. The truth
is bent towards the prediction pixel by pixel, each flip one that leaves the topology alone.
Cells are 4-connected and the membrane between them 8-connected, as in the labels of ISBI-2012;
beyond the image's edge, and where nobody annotated, all is membrane.
"""

from collections import deque
from functools import cache

import numpy as np
from scipy import ndimage

_CLOCKWISE = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
_EIGHT = np.ones((3, 3), dtype=int)


def warping_error(truth: np.ndarray, said: np.ndarray, every: bool = False) -> float:
    """Pixels that split a true cell or merge two, as a share of the annotated ones.

    That is the count of ISBI-2012, whose "minimum splits and mergers warping error" goes on to take
    the best threshold; `every`: Jain's own, of all pixels that still differ, also in holes,
    islands and cells that are missing. Objects that touch are parted by a membrane first. Where
    the bending ends depends on the order of the pixels: the least of eight orders counts, one for
    each way to turn and mirror the image.

    truth: (H, W), -1 ignored, 0 membrane, k instance; said: (H, W), 0 membrane, k instance. NaN
    if nothing is annotated.
    """
    known = truth >= 0
    if not known.any():
        return float("nan")
    cells, target = (_parted(np.where(known, labels, 0)) for labels in (truth, said))
    views = [(np.rot90(cells, k), np.rot90(target, k)) for k in range(4)]
    views += [(one.T, other.T) for one, other in views]
    return min(_left(*view, every) for view in views) / int(known.sum())


def warped(cells: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Bend cells (H, W) bool towards target by flipping simple points, as far as it goes.

    Pixels are visited once in order of their distance from where both agree, then whenever a
    neighbour has flipped.
    """
    simple, width = _simple(), cells.shape[1] + 2
    left, above, below = -1, -width, width
    around = [dy * width + dx for dy, dx in _CLOCKWISE]
    differ = np.pad(cells != target, 1)
    places = np.flatnonzero(differ)
    depth = ndimage.distance_transform_edt(differ).ravel()[places]
    queue = deque(places[np.argsort(depth, kind="stable")].tolist())
    wrong = bytearray(differ.astype(np.uint8).tobytes())
    waiting = bytearray(wrong)
    cell = bytearray(np.pad(cells, 1).astype(np.uint8).tobytes())
    while queue:
        place = queue.popleft()
        waiting[place] = 0
        up, down = place + above, place + below
        code = cell[up + left] | cell[up] << 1 | cell[up + 1] << 2 | cell[place + 1] << 3
        code |= cell[down + 1] << 4 | cell[down] << 5 | cell[down + left] << 6
        if not simple[code | cell[place + left] << 7]:
            continue
        cell[place] ^= 1
        wrong[place] = 0
        for step in around:
            if wrong[place + step] and not waiting[place + step]:
                waiting[place + step] = 1
                queue.append(place + step)
    return np.frombuffer(cell, dtype=bool).reshape(-1, width)[1:-1, 1:-1]


def _left(cells: np.ndarray, target: np.ndarray, every: bool) -> int:
    """Pixels that still differ once the cells are bent: all, or those that split or merge."""
    bent = warped(cells, target)
    if every:
        return int((bent != target).sum())
    return _joining(target & ~bent, bent) + _joining(bent & ~target, bent & target)


@cache
def _simple() -> bytes:
    """Whether a pixel may flip, by its 8 neighbours: bit k is 1 if neighbour k is a cell's.

    It may if it touches one 4-connected piece of cell and one 8-connected piece of membrane.
    """
    table = bytearray(256)
    for code in range(256):
        cell, membrane = np.zeros((2, 3, 3), dtype=bool)
        for k, (dy, dx) in enumerate(_CLOCKWISE):
            cell[1 + dy, 1 + dx] = code >> k & 1
            membrane[1 + dy, 1 + dx] = not code >> k & 1
        pieces, _ = ndimage.label(cell)
        touching = set(pieces[[0, 1, 1, 2], [1, 0, 2, 1]]) - {0}
        table[code] = len(touching) == 1 and ndimage.label(membrane, _EIGHT)[1] == 1
    return bytes(table)


def _parted(labels: np.ndarray) -> np.ndarray:
    """Inside of the objects (H, W) bool, less the pixels that touch another object."""
    inside = labels > 0
    for axis in (0, 1):
        first, second = np.swapaxes(labels, 0, axis)[:-1], np.swapaxes(labels, 0, axis)[1:]
        touch = (first != second) & (first > 0) & (second > 0)
        by_row = np.swapaxes(inside, 0, axis)  # a view
        by_row[:-1] &= ~touch
        by_row[1:] &= ~touch
    return inside


def _joining(pixels: np.ndarray, cells: np.ndarray) -> int:
    """Size of those 4-connected pieces of `pixels` (H, W) bool that touch two cells or more."""
    pieces, count = ndimage.label(pixels)
    bodies, _ = ndimage.label(cells)
    pairs = set()
    for one, other in ((pieces, bodies), (pieces.T, bodies.T)):
        for here, there in ((one[:-1], other[1:]), (one[1:], other[:-1])):
            both = (here > 0) & (there > 0)
            pairs |= set(zip(here[both].tolist(), there[both].tolist(), strict=True))
    touched = np.bincount(np.array([p for p, _ in pairs], dtype=int), minlength=count + 1)
    return int((touched >= 2)[pieces].sum())
