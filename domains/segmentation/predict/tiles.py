"""Images of any size through the network: overlapping tiles, mirrored borders, quarter turns."""

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ..train.windows import mirrored

Network = Callable[[Tensor], Tensor]
STEP = 64  # tiles and margins are multiples of it: 2^6, the pooling of the deepest network allowed


class Pixels(Protocol):
    """An image (H, W, C), in memory or read from disk when a part of it is asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W, C)."""

    def __getitem__(self, place: tuple[slice, slice]) -> np.ndarray:
        """(h, w, C) pixels of these rows and columns."""


def tiled(
    network: Network,
    image: Pixels,
    tile: int,
    margin: int,
    fits: Callable[[int], int] = lambda size: size,
) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """Overlap-tile strategy (Ronneberger et al. 2015, figure 2), a tile at a time.

    image: (H, W, C) float32. Yields rows, columns and what the network says of them,
    (K, h, w); the tiles lie side by side and cover the image row by row.

    Tiles have edges of `tile` px at most; the network sees each with `margin` px more on every
    side, taken from the neighbouring tiles or, beyond the image's edge, mirrored; only the middle
    is kept. With a margin not below the reach of the network, and a multiple of its pooling as
    the tiles' edges are, the result is that of the whole image at once. `network` takes
    (1, C, h, w) to (1, K, h - 2 s, w - 2 s); valid padding loses s ≤ margin px on every side.
    `fits` gives the smallest input edge, not below the one asked for, that the network takes.
    """
    spans = [_spans(size, tile, margin, fits) for size in image.shape[:2]]
    for rows, window_rows in spans[0]:
        for columns, window_columns in spans[1]:
            window = _mirrored(image, window_rows, window_columns)
            said = network(torch.from_numpy(window.transpose(2, 0, 1)[None]))[0]
            kept = said
            for axis, (span, seen) in enumerate(((rows, window_rows), (columns, window_columns))):
                lost, odd = divmod(len(seen) - said.shape[axis + 1], 2)
                start = span.start - seen.start - lost
                if odd or start < 0:
                    raise ValueError(
                        f"{len(seen)} px in, {said.shape[axis + 1]} out: margin {margin}"
                    )
                kept = kept.narrow(axis + 1, start, span.stop - span.start)
            yield rows, columns, kept.numpy()


def averaged(network: Network, views: int) -> Network:
    """Class probabilities of a window, the mean over symmetries of the square.

    views: 1, 4 (quarter turns) or 8 (also mirrored). The network gives logits.
    """

    def run(window: Tensor) -> Tensor:
        total: Tensor | None = None
        for view in range(views):
            turned = torch.rot90(window if view < 4 else window.flip(3), view % 4, (2, 3))
            back = torch.rot90(network(turned).softmax(dim=1), -(view % 4), (2, 3))
            back = back if view < 4 else back.flip(3)
            total = back if total is None else total.add_(back)
        assert total is not None
        return total if views == 1 else total.div_(views)

    return run


def assembled(
    tiles: Iterator[tuple[slice, slice, np.ndarray]], shape: tuple[int, ...]
) -> np.ndarray:
    """(K, H, W) of the tiles of an image (H, W, C)."""
    whole: np.ndarray | None = None
    for rows, columns, said in tiles:
        if whole is None:
            whole = np.empty((len(said), *shape[:2]), dtype=said.dtype)
        whole[:, rows, columns] = said
    assert whole is not None
    return whole


def _spans(
    size: int, tile: int, margin: int, fits: Callable[[int], int]
) -> list[tuple[slice, range]]:
    """Along one axis: the pixels of each tile, and those that the network sees of it.

    The tiles are equal and as few as can be; their edge is a multiple of the pooling.
    """
    count = -(-size // tile)
    edge = min(tile, -(-size // count // STEP) * STEP)
    seen = fits(edge + 2 * margin)
    before = (seen - edge) // 2
    return [
        (slice(at, min(at + edge, size)), range(at - before, at - before + seen))
        for at in range(0, size, edge)
    ]


def _mirrored(image: Pixels, rows: range, columns: range) -> np.ndarray:
    """Pixels of the image continued by reflection, beyond its own size if need be."""
    height, width, _ = image.shape
    y, x = mirrored(np.array(rows), height), mirrored(np.array(columns), width)
    part = image[y.min() : y.max() + 1, x.min() : x.max() + 1]
    return np.ascontiguousarray(part[np.ix_(y - y.min(), x - x.min())])
