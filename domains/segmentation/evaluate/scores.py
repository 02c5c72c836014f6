"""The field's metrics, with intervals from a bootstrap over units.

dice        2 |A ∩ B| / (|A| + |B|), over the annotated pixels of all units together
iou         |A ∩ B| / |A ∪ B|
pixel_error share of annotated pixels whose class is wrong
f1_50       2 TP / (2 TP + FP + FN) of objects matched with IoU > 0.5; f1_75 with IoU > 0.75
f1_50_90    mean of that F1 over IoU thresholds 0.5, 0.55, … 0.9
ap_50_90    mean of TP / (TP + FP + FN) over the same thresholds: the "average precision" of the
            Data Science Bowl 2018 and of StarDist, on the counts of all units together
precision_50, recall_50   TP / (TP + FP) and TP / (TP + FN) at IoU > 0.5

rand_error  adapted Rand error of instances, the predicted border thinned to nothing, and
            rand_error_unthinned; variation_of_information in bits; warping_error
hausdorff_95  95th percentile of the distances between true and predicted outlines, px

The last five are means over the images (or stripes) where they are defined, as in ISBI-2012, the
others ratios of counts over all units. A Hausdorff distance needs an outline on both sides: where
a class was missed altogether it is not defined, which dice tells.

With classes, dice, iou and hausdorff_95 of group "all" are means over the classes that the truth
has, and there is no interval where samples of the units often lack one of them. hausdorff_95 is not
defined where one was missed in every image; in single images it is left out, which dice tells.
pixel_error of a class is the share of pixels wrongly in it or wrongly out of it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipelines.core.contract import SCORE_COLUMNS, THIS_RUN
from pipelines.statistics.bootstrap import Interval, interval, paired

from ..predict.matching import THRESHOLDS
from ..prepare.arrays import Format
from .counts import Tally
from .regions import measures

Columns = tuple[np.ndarray, ...]
Metric = tuple[Callable[..., Any], Callable[[Tally], Columns]]
HEADLINES = (
    "dice",
    "iou",
    "pixel_error",
    "f1_50",
    "f1_75",
    "ap_50_90",
    "rand_error",
    "hausdorff_95",
)
MEANS = (
    "rand_error",
    "rand_error_unthinned",
    "variation_of_information",
    "warping_error",
    "hausdorff_95",
)


def metrics(form: Format, present: np.ndarray | None = None) -> dict[tuple[str, str], Metric]:
    """(metric, group) → statistic of columns (…, units), and the columns of a tally.

    present: (classes,) bool, of which classes a mean has to be; or of those that its units have.
    """
    found: dict[tuple[str, str], Metric] = {
        ("dice", "all"): (_dice, _areas),
        ("iou", "all"): (_iou, _areas),
        ("pixel_error", "all"): (_share, lambda t: (t.wrong, t.pixels)),
    }
    if form.labels == "classes":
        kinds = form.classes - 1
        for k in range(kinds):
            name, columns = f"class {k + 1}", _areas_of(k)
            found["dice", name] = (_mean_of_classes(_dice, 1), columns)
            found["iou", name] = (_mean_of_classes(_iou, 1), columns)
            found["pixel_error", name] = (_wrong, _areas_and_pixels(k))
        found["dice", "all"] = (_mean_of_classes(_dice, kinds, present), _areas)
        found["iou", "all"] = (_mean_of_classes(_iou, kinds, present), _areas)
        distance = _mean_of_classes(_share_of, kinds, present)
        found["hausdorff_95", "all"] = (distance, _all_measured)
    for k, of_images in enumerate(measures(form)):
        found[of_images] = (_share, _measured(k))
    if form.labels == "instances":
        for name, threshold in (("f1_50", 0.5), ("f1_75", 0.75)):
            found[name, "all"] = (_f1, _objects(threshold))
        found["f1_50_90", "all"] = (_mean_over(_f1, len(THRESHOLDS)), _all_objects)
        found["ap_50_90", "all"] = (_mean_over(_jaccard, len(THRESHOLDS)), _all_objects)
        found["precision_50", "all"] = (_f_of_first, _pick(0.5, "tp", "fp"))
        found["recall_50", "all"] = (_f_of_first, _pick(0.5, "tp", "fn"))
    return found


def score_table(tallies: Mapping[str, Tally], form: Format, seed: int) -> pd.DataFrame:
    """scores.csv: every method, then the model's paired difference to each.

    n counts the units in which the metric is defined, for a difference in both.
    """
    rows = []
    model = tallies["model"]
    of_units = metrics(form)
    for (metric, group), (statistic, columns) in metrics(form, model.true.sum(0) > 0).items():
        alone = of_units[metric, group][0]
        known = {name: _defined(alone, columns(t)) for name, t in tallies.items()}
        for name, counts in tallies.items():
            found = interval(statistic, *columns(counts), seed=seed)
            rows.append(_row(name, metric, group, found, int(known[name].sum())))
        for name, counts in tallies.items():
            if name != "model":
                both = known["model"] & known[name]
                # A mean over images compares the same images; a ratio of counts needs them all.
                used = both if metric in MEANS else slice(None)
                pair = (tuple(c[used] for c in columns(t)) for t in (model, counts))
                gap = paired(statistic, *pair, seed=seed)
                rows.append(_row(f"model - {name}", metric, group, gap, int(both.sum())))
    order = {name: k for k, name in enumerate(dict.fromkeys(row[0] for row in rows))}
    rows.sort(key=lambda row: (order[row[0]] >= len(tallies), order[row[0]]))
    return pd.DataFrame(rows, columns=SCORE_COLUMNS)


def headlines(scores: pd.DataFrame) -> dict[str, float]:
    """The model's HEADLINES of group "all", those that are defined, from scores.csv."""
    of_model = scores[(scores["row"] == "model") & (scores["group"] == "all")]
    values = dict(zip(of_model["metric"], of_model["value"], strict=True))
    return {name: values[name] for name in HEADLINES if np.isfinite(values.get(name, np.nan))}


def overall(counts: Tally, form: Format, metric: str) -> float:
    """One metric of group "all" over all units together."""
    statistic, columns = metrics(form)[metric, "all"]
    return float(statistic(*columns(counts)))


def f1_curves(tallies: Mapping[str, Tally]) -> pd.DataFrame:
    """F1 of all units together at each IoU threshold, a column a method."""
    curves = {name: _f1(t.tp.T, t.fp.T, t.fn.T) for name, t in tallies.items()}
    return pd.DataFrame({"iou_threshold": THRESHOLDS, **curves})


def _row(name: str, metric: str, group: str, found: Interval, n: int) -> tuple[Any, ...]:
    counted = n or float("nan")  # where it is defined nowhere there is no score
    return (name, metric, group, found.value, found.low, found.high, counted, THIS_RUN)


def _defined(statistic: Callable[..., Any], columns: Columns) -> np.ndarray:
    """(units,) whether the statistic of a unit alone is a number."""
    return np.isfinite(statistic(*(column[:, None] for column in columns)))


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, NaN where there is nothing to count."""
    return np.divide(above, below, out=np.full(np.shape(below), np.nan), where=below > 0)


def _dice(both: Any, said: Any, true: Any) -> Any:
    return _ratio(2 * both.sum(-1), said.sum(-1) + true.sum(-1))


def _iou(both: Any, said: Any, true: Any) -> Any:
    return _ratio(both.sum(-1), said.sum(-1) + true.sum(-1) - both.sum(-1))


def _share(part: Any, whole: Any) -> Any:
    return _ratio(part.sum(-1), whole.sum(-1))


def _share_of(part: Any, whole: Any, true: Any) -> Any:
    return _share(part, whole)


def _wrong(both: Any, said: Any, true: Any, pixels: Any) -> Any:
    return _ratio((said + true - 2 * both).sum(-1), pixels.sum(-1))


def _f1(tp: Any, fp: Any, fn: Any) -> Any:
    return _ratio(2 * tp.sum(-1), 2 * tp.sum(-1) + fp.sum(-1) + fn.sum(-1))


def _jaccard(tp: Any, fp: Any, fn: Any) -> Any:
    return _ratio(tp.sum(-1), tp.sum(-1) + fp.sum(-1) + fn.sum(-1))


def _f_of_first(part: Any, rest: Any) -> Any:
    return _ratio(part.sum(-1), part.sum(-1) + rest.sum(-1))


def _mean_over(statistic: Callable[..., Any], count: int) -> Callable[..., Any]:
    """The mean of a statistic over `count` sets of columns one after another, where defined."""

    def mean(*columns: Any) -> Any:
        sets = np.split(np.arange(len(columns)), count)
        values = np.stack([statistic(*(columns[c] for c in part)) for part in sets])
        known = np.isfinite(values)
        return _ratio(np.where(known, values, 0).sum(0), known.sum(0))

    return mean


def _mean_of_classes(
    statistic: Callable[..., Any], count: int, present: np.ndarray | None = None
) -> Callable[..., Any]:
    """The mean of a statistic over those of `count` classes that the truth has.

    Each class has a set of columns, of which the last is its area in the truth. NaN where the
    statistic of one of them is not defined, or where one that has to be `present` is not.
    """

    def mean(*columns: Any) -> Any:
        sets = np.split(np.arange(len(columns)), count)
        values = np.stack([statistic(*(columns[c] for c in part)) for part in sets])
        occurs = np.stack([columns[part[-1]].sum(-1) > 0 for part in sets])
        found = _ratio(np.where(occurs, values, 0).sum(0), occurs.sum(0))
        if present is None:
            return found
        return np.where(occurs[present].all(0), found, np.nan)

    return mean


def _areas(counts: Tally) -> Columns:
    """both, said, true of the first class, then of the second …"""
    kinds = range(counts.both.shape[1])
    return tuple(a[:, k] for k in kinds for a in (counts.both, counts.said, counts.true))


def _areas_of(kind: int) -> Callable[[Tally], Columns]:
    return lambda t: _areas(t)[3 * kind : 3 * kind + 3]


def _areas_and_pixels(kind: int) -> Callable[[Tally], Columns]:
    return lambda t: (*_areas_of(kind)(t), t.pixels)


def _measured(which: int) -> Callable[[Tally], Columns]:
    return lambda t: (t.sums[:, which], t.images[:, which])


def _all_measured(counts: Tally) -> Columns:
    """sum, images and true area of the first class, then of the second …"""
    kinds = range(counts.sums.shape[1])
    return tuple(c for k in kinds for c in (*_measured(k)(counts), counts.true[:, k]))


def _all_objects(counts: Tally) -> Columns:
    """tp, fp, fn at the first threshold, then at the second …"""
    levels = range(len(THRESHOLDS))
    return tuple(a[:, k] for k in levels for a in (counts.tp, counts.fp, counts.fn))


def _pick(threshold: float, *names: str) -> Callable[[Tally], Columns]:
    level = THRESHOLDS.index(threshold)
    return lambda t: tuple(getattr(t, name)[:, level] for name in names)


def _objects(threshold: float) -> Callable[[Tally], Columns]:
    return _pick(threshold, "tp", "fp", "fn")
