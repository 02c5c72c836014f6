"""What is counted of each method in each unit of the bootstrap; every score is a ratio of sums."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..predict.matching import THRESHOLDS, match
from ..prepare.arrays import Format, Sample, block_index


@dataclass(frozen=True)
class Tally:
    """Counts by unit (rows), a unit being a stripe of a region or a group of images.

    both, said, true: (units, classes) pixels of each class but the background (one class,
    foreground, for instances); wrong, pixels: (units,); tp, fp, fn: (units, IoU thresholds),
    zeros unless the masks are instances.
    """

    both: np.ndarray
    said: np.ndarray
    true: np.ndarray
    wrong: np.ndarray
    pixels: np.ndarray
    tp: np.ndarray
    fp: np.ndarray
    fn: np.ndarray


def tally(samples: Sequence[Sample], labels: Sequence[np.ndarray], form: Format) -> Tally:
    """Compare labels with masks on the annotated pixels; units in order of appearance."""
    units: dict[str, dict[str, np.ndarray]] = {}
    for sample, said in zip(samples, labels, strict=True):
        blocks = block_index(sample)
        counts = [_of_block(sample, said, blocks == k, form) for k in range(sample.blocks)]
        if form.labels == "instances":
            found = match(sample.mask, said, blocks)
            for k, count in enumerate(counts):
                count.update(tp=found.tp[k], fp=found.fp[k], fn=found.fn[k])
        for k, count in enumerate(counts):
            unit = f"{sample.name}/{k}" if sample.blocks > 1 else sample.group
            before = units.get(unit)
            units[unit] = {n: count[n] + before[n] for n in count} if before else count
    return Tally(**{name: np.array([u[name] for u in units.values()]) for name in _NAMES})


_NAMES = tuple(Tally.__dataclass_fields__)


def _of_block(
    sample: Sample, said: np.ndarray, block: np.ndarray, form: Format
) -> dict[str, np.ndarray]:
    where = block & (sample.mask >= 0)
    kinds = 2 if form.labels == "instances" else form.classes
    truth, guess = (np.minimum(a[where], kinds - 1) for a in (sample.mask, said))
    if form.labels != "classes":
        truth, guess = (truth > 0).astype(int), (guess > 0).astype(int)
    joint = np.bincount(truth * kinds + guess, minlength=kinds**2).reshape(kinds, kinds)
    none = np.zeros(len(THRESHOLDS), dtype=int)
    return {
        "both": np.diag(joint)[1:],
        "said": joint.sum(axis=0)[1:],
        "true": joint.sum(axis=1)[1:],
        "wrong": np.array(joint.sum() - np.trace(joint)),
        "pixels": np.array(joint.sum()),
        "tp": none,
        "fp": none,
        "fn": none,
    }
