"""Images of any size through the network: overlapping tiles, mirrored borders, quarter turns."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

Network = Callable[[Tensor], Tensor]
STEP = 64  # tiles and margins are multiples of it: 2^6, the pooling of the deepest network allowed


def tiled(network: Network, image: Tensor, tile: int, margin: int) -> Tensor:
    """Overlap-tile strategy (Ronneberger et al. 2015, figure 2): (C, H, W) → (K, H, W).

    Tiles of edge `tile` at most are laid side by side; the network sees each with `margin` px
    more on every side, taken from the neighbouring tiles or, beyond the image's edge, mirrored;
    only the middle is kept. With a margin not below the reach of the network, and a multiple of
    its pooling as the tiles' edges are, the result is that of the whole image at once.
    """
    _, height, width = image.shape
    high, wide = _edge(height, tile), _edge(width, tile)
    padded = _mirrored(image, margin, -height % high + margin, -width % wide + margin)
    rows = []
    for y in range(0, height, high):
        row = []
        for x in range(0, width, wide):
            window = padded[:, y : y + high + 2 * margin, x : x + wide + 2 * margin]
            row.append(network(window[None])[0, :, margin : margin + high, margin : margin + wide])
        rows.append(torch.cat(row, dim=2))
    return torch.cat(rows, dim=1)[:, :height, :width]


def probabilities(
    network: Network, image: np.ndarray, tile: int, margin: int, views: int
) -> np.ndarray:
    """Class probabilities of one image, averaged over `views` symmetries of the square.

    image: (H, W, C) float32, normalised; views: 1, 4 (quarter turns) or 8 (also mirrored).
    Returns (K, H, W) float32.
    """
    tensor = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
    mean = torch.zeros(1)
    with torch.inference_mode():
        for view in range(views):
            turned = torch.rot90(tensor if view < 4 else tensor.flip(2), view % 4, (1, 2))
            said = tiled(lambda x: network(x).softmax(dim=1), turned, tile, margin)
            back = torch.rot90(said, -(view % 4), (1, 2))
            mean = mean + (back if view < 4 else back.flip(2))
    return (mean / views).numpy()


def _edge(size: int, tile: int) -> int:
    """Edge of equal tiles, at most `tile` each, that cover `size`; a multiple of the pooling."""
    count = -(-size // tile)
    return min(tile, -(-size // count // STEP) * STEP)


def _mirrored(image: Tensor, before: int, below: int, right: int) -> Tensor:
    """Pad (C, H, W) by reflection, by more than the image's own size if need be."""
    _, height, width = image.shape
    rows = _reflect(torch.arange(-before, height + below), height)
    columns = _reflect(torch.arange(-before, width + right), width)
    return image[:, rows][:, :, columns]


def _reflect(index: Tensor, size: int) -> Tensor:
    """Indices … 2 1 0 1 2 … of a mirror whose edge pixels are not repeated."""
    if size == 1:
        return torch.zeros_like(index)
    index = index.remainder(2 * size - 2)
    return torch.where(index < size, index, 2 * size - 2 - index)
