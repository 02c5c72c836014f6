"""Which objects of overlapping blocks are the same."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Part:
    """Objects of a part of an image.

    labels: (h, w), 0 background, objects 1 … N, which are `before` + 1 … `before` + N in the
    whole image; corner: (y, x) of the part in it.
    """

    labels: np.ndarray
    corner: tuple[int, int]
    before: int

    @property
    def place(self) -> tuple[slice, slice]:
        """Its rows and columns in the image."""
        (top, left), (height, width) = self.corner, self.labels.shape
        return slice(top, top + height), slice(left, left + width)

    def cut(self, rows: slice, columns: slice) -> "Part":
        """What of it lies in these rows and columns of the image."""
        both = [
            slice(max(mine.start, theirs.start), min(mine.stop, theirs.stop))
            for mine, theirs in zip(self.place, (rows, columns), strict=True)
        ]
        y, x = (slice(s.start - c, s.stop - c) for s, c in zip(both, self.corner, strict=True))
        return replace(self, labels=self.labels[y, x], corner=(both[0].start, both[1].start))


class Seams:
    """Compares each block with those to its left and above it, as they come row by row.

    Blocks are decided with `overlap` px beyond their edges, so that two neighbours share a strip
    of twice that width along their seam. Two objects are the same if the intersection over union
    of what the strip has of them is above `least`. `scratch` is a folder for what must wait for
    the next row of blocks: memory does not grow with the image's width.
    """

    def __init__(self, scratch: Path, overlap: int, least: float) -> None:
        self._scratch, self._overlap, self._least = scratch, overlap, least
        self._left: Part | None = None
        self._above: dict[int, Part] = {}
        self._pairs = [np.zeros((0, 2), dtype=np.int64)]

    @property
    def pairs(self) -> np.ndarray:
        """(P, 2) numbers in the whole image of objects that are the same."""
        return np.concatenate(self._pairs)

    def grown(self, rows: slice, columns: slice, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """A block's rows and columns with the overlap, as far as the image (H, W) goes."""
        y, x = (
            slice(max(s.start - self._overlap, 0), min(s.stop + self._overlap, size))
            for s, size in zip((rows, columns), shape[:2], strict=True)
        )
        return y, x

    def add(self, part: Part, rows: slice, columns: slice) -> None:
        """The next block, of these rows and columns, with its overlap."""
        left = self._left if columns.start > 0 else None
        for other in (left, self._above.pop(columns.start, None)):
            if other is not None:
                self._pairs.append(_same(part.cut(*other.place), other, self._least))
        right, below = (
            slice(s.stop - self._overlap, s.stop + self._overlap) for s in (columns, rows)
        )
        self._left = part.cut(part.place[0], right)
        strip = part.cut(below, part.place[1])
        file = self._scratch / f"strip-{rows.start}-{columns.start}.npy"
        np.save(file, strip.labels)
        self._above[columns.start] = replace(strip, labels=np.load(file, mmap_mode="r"))


def _same(one: Part, other: Part, least: float) -> np.ndarray:
    """(P, 2) pairs of objects, as numbered in the whole image, with an IoU above `least`."""
    other = other.cut(*one.place)
    both = (one.labels > 0) & (other.labels > 0)
    pairs, shared = np.unique(
        np.stack([one.labels[both], other.labels[both]]), axis=1, return_counts=True
    )
    areas = [np.bincount(p.labels.ravel())[k] for p, k in zip((one, other), pairs, strict=True)]
    same = shared / (areas[0] + areas[1] - shared) > least
    return (pairs.T + np.array([one.before, other.before]))[same]
