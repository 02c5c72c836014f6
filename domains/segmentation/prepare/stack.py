"""A stack of consecutive slices or frames, split into blocks of neighbours with gaps between."""

from collections.abc import Sequence

import numpy as np

from .arrays import SPLITS, Sample
from .params import PrepareParams
from .split import regions


def split_stack(
    params: PrepareParams, name: str, images: Sequence[np.ndarray], masks: Sequence[np.ndarray]
) -> list[Sample]:
    """Samples `<name>00`, `<name>01` …, each a group of its own: the unit of the bootstrap.

    Neighbours resemble each other, so the stack is cut into train | gap | validation | gap | test
    in its own order, and the `gap_slices` in between are left out.
    images: (H, W, C) each; masks: (H, W) int32 each.
    """
    blocks = regions(len(images), params.shares, params.gap_slices, "gap_slices")
    return [
        Sample(f"{name}{k:02d}", f"{name}{k:02d}", split, images[k], masks[k])
        for split, block in zip(SPLITS, blocks, strict=True)
        for k in range(block.start, block.stop)
    ]


def left_out(params: PrepareParams, noun: str) -> dict[str, object]:
    """The card's entry on the gaps."""
    why = "no neighbours in two splits"
    return {"what": f"{noun} between the splits", "why": why, "count": 2 * params.gap_slices}
