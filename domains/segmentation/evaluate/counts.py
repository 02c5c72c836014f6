"""What is counted of each method in each unit of the bootstrap; most scores are ratios of sums."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..predict.matching import THRESHOLDS, match
from ..prepare.arrays import Format, Sample, block_index
from .regions import measure, measures


@dataclass(frozen=True)
class Tally:
    """Counts by unit (rows), a unit being a place in a movie or a group of images.

    both, said, true: (units, classes) pixels of each class but the background (one class,
    foreground, for instances); wrong, pixels: (units,); tp, fp, fn: (units, IoU thresholds),
    zeros unless the masks are instances. sums, images: (units, `regions.measures`) sum of what
    was measured of the unit's images, and the number of images where it is defined.
    """

    both: np.ndarray
    said: np.ndarray
    true: np.ndarray
    wrong: np.ndarray
    pixels: np.ndarray
    tp: np.ndarray
    fp: np.ndarray
    fn: np.ndarray
    sums: np.ndarray
    images: np.ndarray


def tally(
    samples: Sequence[Sample],
    labels: Sequence[np.ndarray],
    form: Format,
    by_image: bool = False,
) -> Tally:
    """Compare labels with masks on the annotated pixels; units in order of appearance.

    by_image: measure regions and outlines too, which takes most of the time; without it `images`
    is zero.
    """
    found = []
    for sample, said in zip(samples, labels, strict=True):
        blocks = block_index(sample)
        counts = [_of_block(sample, said, blocks == k, form) for k in range(sample.blocks)]
        if form.labels == "instances":
            hits = match(sample.mask, said, blocks)
            for k, count in enumerate(counts):
                count.update(tp=hits.tp[k], fp=hits.fp[k], fn=hits.fn[k])
        if by_image:
            for count, values in zip(counts, measure(sample, said, form), strict=True):
                count.update(sums=np.nan_to_num(values), images=np.isfinite(values).astype(int))
        found.append(counts)
    return Tally(**by_unit(samples, found))


def by_unit(
    samples: Sequence[Sample], counts: Sequence[Sequence[Mapping[str, np.ndarray]]]
) -> dict[str, np.ndarray]:
    """Arrays (units, …) by name, from the arrays of each block of each sample.

    The unit is the block where a sample has several, of all samples of its group: frames of a movie
    show the same objects in the same places. Else it is the group.
    """
    units: dict[str, dict[str, np.ndarray]] = {}
    for sample, blocks in zip(samples, counts, strict=True):
        for k, count in enumerate(blocks):
            unit = f"{sample.group}/{k}" if sample.blocks > 1 else sample.group
            before = units.get(unit)
            units[unit] = {n: count[n] + before[n] for n in count} if before else dict(count)
    names = next(iter(units.values()))
    return {name: np.array([u[name] for u in units.values()]) for name in names}


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
    unmeasured = np.zeros(len(measures(form)))
    return {
        "both": np.diag(joint)[1:],
        "said": joint.sum(axis=0)[1:],
        "true": joint.sum(axis=1)[1:],
        "wrong": np.array(joint.sum() - np.trace(joint)),
        "pixels": np.array(joint.sum()),
        "tp": none,
        "fp": none,
        "fn": none,
        "sums": unmeasured,
        "images": unmeasured,
    }
