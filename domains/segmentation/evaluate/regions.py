"""Measures of one image or stripe that are no ratios of counts: of regions and of their borders."""

import numpy as np
from scipy import ndimage
from skimage.metrics import variation_of_information as split_and_merge

from ..predict.rand import grown, rand_error
from ..prepare.arrays import Format, Sample, block_index
from .warping import warping_error


def variation_of_information(truth: np.ndarray, said: np.ndarray) -> float:
    """H(said | truth) + H(truth | said) in bits, of the pixels inside true instances.

    Meilă 2007; the first is what splits, the second what merges. Arguments, `grown` labels and
    what is left out as for `rand_error`. NaN without a true instance.
    """
    inside = truth > 0
    if not inside.any():
        return float("nan")
    return float(np.sum(split_and_merge(truth[inside], grown(said)[inside])))


def hausdorff(
    truth: np.ndarray, said: np.ndarray, known: np.ndarray, percentile: float = 95
) -> float:
    """Percentile of the distances between two outlines, px; the greater of the two directions.

    truth, said: (H, W) bool, inside or not; known: (H, W) bool, annotated. NaN if a side has no
    outline. 100 is the Hausdorff distance itself.
    """
    outlines = [outline(side, known) for side in (truth, said)]
    if not all(o.any() for o in outlines):
        return float("nan")
    directed = [
        np.percentile(ndimage.distance_transform_edt(~there)[here], percentile)
        for here, there in (outlines, outlines[::-1])
    ]
    return float(max(directed))


def outline(inside: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Annotated pixels inside with a 4-neighbour that is annotated and outside.

    The image's edge and that of the annotation are no outline.
    """
    return known & inside & ~ndimage.binary_erosion(inside | ~known, border_value=1)


_OF_INSTANCES = (
    "rand_error",
    "rand_error_unthinned",
    "variation_of_information",
    "warping_error",
)


def measures(form: Format) -> list[tuple[str, str]]:
    """(metric, group) of what `measure` returns."""
    if form.labels == "classes":
        return [("hausdorff_95", f"class {k}") for k in range(1, form.classes)]
    names = _OF_INSTANCES if form.labels == "instances" else ()
    return [(name, "all") for name in (*names, "hausdorff_95")]


def measure(sample: Sample, said: np.ndarray, form: Format) -> np.ndarray:
    """(blocks, measures) values of each stripe of a sample, NaN where undefined.

    A stripe is measured as a picture of its own, instances that it cuts keep their label.
    """
    full = grown(said) if form.labels == "instances" else said
    return np.array(
        [
            _of_picture(sample.mask[box], said[box], full[box], form)
            for box in ndimage.find_objects(block_index(sample) + 1)
        ]
    )


def _of_picture(truth: np.ndarray, said: np.ndarray, full: np.ndarray, form: Format) -> list[float]:
    known = truth >= 0
    if form.labels == "classes":
        return [hausdorff(truth == k, said == k, known) for k in range(1, form.classes)]
    values = [hausdorff(truth > 0, said > 0, known)]
    if form.labels == "instances":
        rand = rand_error(truth, full), rand_error(truth, said, thinned=False)
        values = [
            *rand,
            variation_of_information(truth, full),
            warping_error(truth, said),
            *values,
        ]
    return values
