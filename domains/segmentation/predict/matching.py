"""Which predicted object is which true one, and what is counted.

An object is left out, true or predicted, if it touches ignored pixels or the region's edge: it
is not seen whole. So that neither side is punished for the other's omissions, an unmatched object
more than half of whose area lies on left-out objects of the other side is left out too, and a
pair counts if its true object is kept.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

THRESHOLDS = tuple(round(0.5 + 0.05 * k, 2) for k in range(9))


@dataclass(frozen=True)
class Counts:
    """True positives, false positives, false negatives: (blocks, thresholds) each."""

    tp: np.ndarray
    fp: np.ndarray
    fn: np.ndarray


def match(
    truth: np.ndarray,
    said: np.ndarray,
    blocks: np.ndarray | None = None,
    thresholds: tuple[float, ...] = THRESHOLDS,
) -> Counts:
    """Count matches with intersection over union > t for each t; t ≥ 0.5 makes them unique.

    truth: (H, W), -1 ignored, 0 background, k instance; said: (H, W), 0 background, k instance.
    blocks: (H, W) number of the block of each pixel; an object counts where its centroid lies
    (a pair where the true one's does), one block if None.
    """
    if min(thresholds) < 0.5:
        raise ValueError("thresholds below 0.5 do not give unique matches")
    blocks = np.zeros(truth.shape, dtype=int) if blocks is None else blocks
    ignored = truth < 0
    true = np.maximum(truth, 0)
    overlap = _overlap(true, said)
    true_area, said_area = overlap.sum(axis=1), overlap.sum(axis=0)
    out_true = _left_out(true, ignored, len(true_area))
    out_said = _left_out(said, ignored, len(said_area))
    excused_true = out_true | (2 * overlap[:, out_said].sum(axis=1) > true_area)
    excused_said = out_said | (2 * overlap[out_true].sum(axis=0) > said_area)

    iou = overlap / np.maximum(true_area[:, None] + said_area[None] - overlap, 1)
    iou[0], iou[:, 0] = 0, 0  # the background is no object
    block_of_true, block_of_said = _block_of(true, blocks), _block_of(said, blocks)
    count = int(blocks.max()) + 1

    rows = []
    for threshold in thresholds:
        pairs = iou > threshold
        found, right = pairs.any(axis=1), pairs.any(axis=0)
        hit = found & ~out_true
        miss = ~found & ~excused_true & (true_area > 0)
        wrong = ~right & ~excused_said & (said_area > 0)
        miss[0] = wrong[0] = False
        rows.append(
            [
                np.bincount(block_of_true[hit], minlength=count),
                np.bincount(block_of_said[wrong], minlength=count),
                np.bincount(block_of_true[miss], minlength=count),
            ]
        )
    tp, fp, fn = np.array(rows).transpose(1, 2, 0)
    return Counts(tp, fp, fn)


def f1(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray) -> np.ndarray:
    """2 TP / (2 TP + FP + FN); 1 where there is nothing to find and nothing was found."""
    total = 2 * tp + fp + fn
    return np.where(total > 0, 2 * tp / np.maximum(total, 1), 1.0)


def _overlap(true: np.ndarray, said: np.ndarray) -> np.ndarray:
    """(T + 1, S + 1) number of pixels of each pair of labels."""
    rows, columns = int(true.max()) + 1, int(said.max()) + 1
    joint = true.astype(np.int64).ravel() * columns + said.ravel()
    return np.bincount(joint, minlength=rows * columns).reshape(rows, columns)


def _left_out(labels: np.ndarray, ignored: np.ndarray, count: int) -> np.ndarray:
    """(count,) whether an object touches the edge of the image or ignored pixels."""
    edge = ndimage.binary_dilation(ignored, np.ones((3, 3)))
    edge[[0, -1]] = True
    edge[:, [0, -1]] = True
    out = np.zeros(count, dtype=bool)
    out[np.unique(labels[edge])] = True
    out[0] = False
    return out


def _block_of(labels: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """(count,) block of each label's centroid; 0 for a label that does not occur."""
    area = np.maximum(np.bincount(labels.ravel()), 1)
    grid = np.indices(labels.shape)
    centre = [np.bincount(labels.ravel(), axis.ravel()) / area for axis in grid]
    y, x = (np.round(c).astype(int) for c in centre)
    return blocks[y, x]
