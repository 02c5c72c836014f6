"""Is a pixel that is called 80 % certain right four times of five?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..prepare.arrays import Format, Sample

BINS = 10


def reliability(
    maps: Sequence[np.ndarray], samples: Sequence[Sample], form: Format
) -> pd.DataFrame:
    """Annotated pixels in bins of confidence: columns confidence, accuracy, share.

    Confidence is the probability of the more probable answer, foreground or background for
    instances and binary masks, else of the most probable class; accuracy how often it is right.
    """
    sums = np.zeros((3, BINS))
    for probability, sample in zip(maps, samples, strict=True):
        known = sample.mask >= 0
        if form.labels == "classes":
            said, confidence = probability.argmax(axis=0), probability.max(axis=0)
            right = said == sample.mask
        else:
            foreground = 1 - probability[0]
            confidence = np.maximum(foreground, probability[0])
            right = (foreground > 0.5) == (sample.mask > 0)
        where = np.minimum((confidence[known] * BINS).astype(int), BINS - 1)
        for row, values in enumerate((np.ones(known.sum()), confidence[known], right[known])):
            sums[row] += np.bincount(where, values, minlength=BINS)
    count, confidence, right = sums[:, sums[0] > 0]
    columns = {"confidence": confidence / count, "accuracy": right / count}
    return pd.DataFrame({**columns, "share": count / count.sum()})


def calibration_error(table: pd.DataFrame) -> float:
    """Expected calibration error, mean |accuracy − confidence| of the pixels (Guo et al. 2017)."""
    return float((table["share"] * (table["accuracy"] - table["confidence"]).abs()).sum())
