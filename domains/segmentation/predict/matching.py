"""Which predicted object is which true one, and what is counted.

An object is left out, true or predicted, if it touches ignored pixels or the region's edge: it
is not seen whole. So that neither side is punished for the other's omissions, an unmatched object
is left out too if it coincides with a left-out one of the other side, each covering more than
half of the other; and a pair counts if its true object is kept.
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


def match(truth: np.ndarray, said: np.ndarray, blocks: np.ndarray | None = None) -> Counts:
    """Count matches with intersection over union > t, of THRESHOLDS, which makes them unique.

    truth: (H, W), -1 ignored, 0 background, k instance; said: (H, W), 0 background, k instance.
    blocks: (H, W) number of the block of each pixel; an object counts where its centroid lies
    (a pair where the true one's does), one block if None.
    """
    blocks = np.zeros(truth.shape, dtype=int) if blocks is None else blocks
    count = int(blocks.max()) + 1
    sides = _compare(truth, said)
    true_block, said_block = (_block_of(n, blocks) for n in (np.maximum(truth, 0), said))
    rows = []
    for threshold in THRESHOLDS:
        pairs = sides.iou > threshold
        hit = pairs.any(axis=1) & ~sides.out_true
        miss = ~pairs.any(axis=1) & sides.counts_true
        wrong = ~pairs.any(axis=0) & sides.counts_said
        rows.append(
            [
                np.bincount(block[which], minlength=count)
                for block, which in ((true_block, hit), (said_block, wrong), (true_block, miss))
            ]
        )
    tp, fp, fn = np.array(rows).transpose(1, 2, 0)
    return Counts(tp, fp, fn)


def object_table(truth: np.ndarray, said: np.ndarray) -> list[tuple[float, tuple[float, float]]]:
    """(IoU, centroid) of each object that counts: true ones with their best IoU, then predicted
    ones that match no true object with IoU > 0.5."""
    sides = _compare(truth, said)
    true_centre, said_centre = _centres(np.maximum(truth, 0)), _centres(said)
    found = []
    for k in np.flatnonzero(sides.counts_true):
        found.append((float(sides.iou[k].max()), (true_centre[0][k], true_centre[1][k])))
    for k in np.flatnonzero(sides.counts_said):
        best = float(sides.iou[:, k].max())
        if best <= 0.5:
            found.append((best, (said_centre[0][k], said_centre[1][k])))
    return found


def f1(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray) -> np.ndarray:
    """2 TP / (2 TP + FP + FN); 1 where there is nothing to find and nothing was found."""
    total = 2 * tp + fp + fn
    return np.where(total > 0, 2 * tp / np.maximum(total, 1), 1.0)


@dataclass(frozen=True)
class _Sides:
    """iou: (T + 1, S + 1); out_true: (T + 1,) left out for the edge; counts_…: neither left out
    nor excused."""

    iou: np.ndarray
    out_true: np.ndarray
    counts_true: np.ndarray
    counts_said: np.ndarray


def _compare(truth: np.ndarray, said: np.ndarray) -> _Sides:
    true = np.maximum(truth, 0)
    overlap = _overlap(true, said)
    true_area, said_area = overlap.sum(axis=1), overlap.sum(axis=0)
    edge = ndimage.binary_dilation(truth < 0, np.ones((3, 3)))
    edge[[0, -1]] = True
    edge[:, [0, -1]] = True
    out_true, out_said = _present(true[edge], len(true_area)), _present(said[edge], len(said_area))
    same = 2 * overlap > np.maximum(true_area[:, None], said_area[None])
    counts_true = (true_area > 0) & ~out_true & ~same[:, out_said].any(axis=1)
    counts_said = (said_area > 0) & ~out_said & ~same[out_true].any(axis=0)
    counts_true[0] = counts_said[0] = False  # the background is no object
    iou = overlap / np.maximum(true_area[:, None] + said_area[None] - overlap, 1)
    iou[0], iou[:, 0] = 0, 0
    return _Sides(iou, out_true, counts_true, counts_said)


def _overlap(true: np.ndarray, said: np.ndarray) -> np.ndarray:
    """(T + 1, S + 1) number of pixels of each pair of labels."""
    rows, columns = int(true.max()) + 1, int(said.max()) + 1
    joint = true.astype(np.int64).ravel() * columns + said.ravel()
    return np.bincount(joint, minlength=rows * columns).reshape(rows, columns)


def _present(labels: np.ndarray, count: int) -> np.ndarray:
    """(count,) whether a label but the background's occurs."""
    present = np.zeros(count, dtype=bool)
    present[np.unique(labels)] = True
    present[0] = False
    return present


def _centres(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(y, x) of each label's centroid; 0 for a label that does not occur."""
    area = np.maximum(np.bincount(labels.ravel()), 1)
    y, x = (np.bincount(labels.ravel(), axis.ravel()) / area for axis in np.indices(labels.shape))
    return y, x


def _block_of(labels: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """(count,) block in which each label's centroid lies."""
    y, x = (np.round(c).astype(int) for c in _centres(labels))
    return blocks[y, x]
