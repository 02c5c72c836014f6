"""Is a pixel that is called 80 % certain right four times of five?"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipelines.core.contract import THIS_RUN

from ..predict.calibrate import tempered, two_sided
from ..prepare.arrays import Format, Sample, block_index
from .counts import by_unit

BINS = 10


def reliability(
    maps: Iterable[np.ndarray], samples: Sequence[Sample], form: Format
) -> pd.DataFrame:
    """Annotated pixels in bins of confidence: columns confidence, accuracy, share.

    Confidence is the probability of the more probable answer, foreground or background for
    instances and binary masks, else of the most probable class; accuracy how often it is right.
    """
    return _table(binned(maps, samples, form))


def _table(units: np.ndarray) -> pd.DataFrame:
    sums = units.sum(axis=0)
    count, confidence, right = sums[:, sums[0] > 0]
    columns = {"confidence": confidence / count, "accuracy": right / count}
    return pd.DataFrame({**columns, "share": count / count.sum()})


def binned(maps: Iterable[np.ndarray], samples: Sequence[Sample], form: Format) -> np.ndarray:
    """(units, 3, bins): pixels, their summed confidence, and how many are right."""
    found = []
    for probability, sample in zip(maps, samples, strict=True):
        answers, known = two_sided(probability, form), sample.mask >= 0
        truth = (sample.mask if form.labels == "classes" else sample.mask > 0)[known]
        confidence = answers.max(axis=0)[known].astype(float)
        right = answers.argmax(axis=0)[known] == truth
        where = np.minimum((confidence * BINS).astype(int), BINS - 1)
        where += BINS * block_index(sample)[known]
        size = sample.blocks * BINS
        rows = [np.bincount(where, v, size) for v in (np.ones(len(where)), confidence, right)]
        sums = np.reshape(rows, (3, sample.blocks, BINS)).swapaxes(0, 1)
        found.append([{"bins": block} for block in sums])
    return by_unit(samples, found)["bins"]


def scaled(maps: Iterable[np.ndarray], form: Format, temperature: float) -> Iterator[np.ndarray]:
    """The answers as `apply` gives them: by the temperature that validation chose."""
    return (tempered(two_sided(probability, form), temperature) for probability in maps)


def calibration_error(table: pd.DataFrame) -> float:
    """Expected calibration error, mean |accuracy − confidence| of the pixels (Guo et al. 2017)."""
    return float((table["share"] * (table["accuracy"] - table["confidence"]).abs()).sum())


def calibration_rows(
    maps: Sequence[np.ndarray],
    samples: Sequence[Sample],
    form: Format,
    temperature: float,
) -> list[tuple[Any, ...]]:
    """Lines of scores.csv: the model's calibration error as it is, and scaled by temperature.

    Without intervals: noise between units raises a sum of absolute values, and raises it once more
    in a bootstrap's draws, so that an interval need not reach an error of 0 that is the truth.
    """
    rows = []
    after = scaled(maps, form, temperature)
    for metric, answers in (("calibration_error", maps), ("calibration_error_scaled", after)):
        units = binned(answers, samples, form)
        error = calibration_error(_table(units))
        rows.append(("model", metric, "all", error, math.nan, math.nan, len(units), THIS_RUN))
    return rows
