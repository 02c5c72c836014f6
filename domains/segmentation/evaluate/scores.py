"""The field's metrics as ratios of counts, with intervals from a bootstrap over units.

dice        2 |A ∩ B| / (|A| + |B|), over the annotated pixels of all units together
iou         |A ∩ B| / |A ∪ B|
pixel_error share of annotated pixels whose class is wrong
f1_50       2 TP / (2 TP + FP + FN) of objects matched with IoU > 0.5; f1_75 with IoU > 0.75
f1_50_90    mean of that F1 over IoU thresholds 0.5, 0.55, … 0.9
ap_50_90    mean of TP / (TP + FP + FN) over the same thresholds: the "average precision" of the
            Data Science Bowl 2018 and of StarDist, on the counts of all units together
precision_50, recall_50   TP / (TP + FP) and TP / (TP + FN) at IoU > 0.5

With classes, dice and iou of group "all" are means over the classes that occur.
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

Columns = tuple[np.ndarray, ...]
Metric = tuple[Callable[..., Any], Callable[[Tally], Columns]]
HEADLINES = ("dice", "iou", "pixel_error", "f1_50", "f1_75", "ap_50_90")


def metrics(form: Format) -> dict[tuple[str, str], Metric]:
    """(metric, group) → statistic of columns (…, units), and the columns of a tally."""
    kinds = len(_kinds(form))
    found: dict[tuple[str, str], Metric] = {
        ("dice", "all"): (_mean_over(_dice, kinds), _areas),
        ("iou", "all"): (_mean_over(_iou, kinds), _areas),
        ("pixel_error", "all"): (_share, lambda t: (t.wrong, t.pixels)),
    }
    if form.labels == "classes":
        for k, name in enumerate(_kinds(form)):
            columns = _areas_of(k)
            found["dice", name], found["iou", name] = (_dice, columns), (_iou, columns)
    if form.labels == "instances":
        for name, threshold in (("f1_50", 0.5), ("f1_75", 0.75)):
            found[name, "all"] = (_f1, _objects(threshold))
        found["f1_50_90", "all"] = (_mean_over(_f1, len(THRESHOLDS)), _all_objects)
        found["ap_50_90", "all"] = (_mean_over(_jaccard, len(THRESHOLDS)), _all_objects)
        found["precision_50", "all"] = (_f_of_first, _pick(0.5, "tp", "fp"))
        found["recall_50", "all"] = (_f_of_first, _pick(0.5, "tp", "fn"))
    return found


def score_table(tallies: Mapping[str, Tally], form: Format, seed: int) -> pd.DataFrame:
    """scores.csv: every method, then the model's paired difference to each; n counts units."""
    rows = []
    model = tallies["model"]
    for (metric, group), (statistic, columns) in metrics(form).items():
        for name, counts in tallies.items():
            found = interval(statistic, *columns(counts), seed=seed)
            rows.append(_row(name, metric, group, found, len(counts.pixels)))
        for name, counts in tallies.items():
            if name != "model":
                gap = paired(statistic, columns(model), columns(counts), seed=seed)
                rows.append(_row(f"model - {name}", metric, group, gap, len(counts.pixels)))
    order = {name: k for k, name in enumerate(dict.fromkeys(row[0] for row in rows))}
    rows.sort(key=lambda row: (order[row[0]] >= len(tallies), order[row[0]]))
    return pd.DataFrame(rows, columns=SCORE_COLUMNS)


def overall(counts: Tally, form: Format, metric: str) -> float:
    """One metric of group "all" over all units together."""
    statistic, columns = metrics(form)[metric, "all"]
    return float(statistic(*columns(counts)))


def f1_curves(tallies: Mapping[str, Tally]) -> pd.DataFrame:
    """F1 of all units together at each IoU threshold, a column a method."""
    curves = {name: _f1(t.tp.T, t.fp.T, t.fn.T) for name, t in tallies.items()}
    return pd.DataFrame({"iou_threshold": THRESHOLDS, **curves})


def _row(name: str, metric: str, group: str, found: Interval, n: int) -> tuple[Any, ...]:
    return (name, metric, group, found.value, found.low, found.high, n, THIS_RUN)


def _kinds(form: Format) -> list[str]:
    return [f"class {k}" for k in range(1, form.classes)] if form.labels == "classes" else ["all"]


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, NaN where there is nothing to count."""
    return np.divide(above, below, out=np.full(np.shape(below), np.nan), where=below > 0)


def _dice(both: Any, said: Any, true: Any) -> Any:
    return _ratio(2 * both.sum(-1), said.sum(-1) + true.sum(-1))


def _iou(both: Any, said: Any, true: Any) -> Any:
    return _ratio(both.sum(-1), said.sum(-1) + true.sum(-1) - both.sum(-1))


def _share(part: Any, whole: Any) -> Any:
    return _ratio(part.sum(-1), whole.sum(-1))


def _f1(tp: Any, fp: Any, fn: Any) -> Any:
    return _ratio(2 * tp.sum(-1), 2 * tp.sum(-1) + fp.sum(-1) + fn.sum(-1))


def _jaccard(tp: Any, fp: Any, fn: Any) -> Any:
    return _ratio(tp.sum(-1), tp.sum(-1) + fp.sum(-1) + fn.sum(-1))


def _f_of_first(part: Any, rest: Any) -> Any:
    return _ratio(part.sum(-1), part.sum(-1) + rest.sum(-1))


def _mean_over(statistic: Callable[..., Any], count: int) -> Callable[..., Any]:
    """The mean of a statistic of three columns over `count` such triples, where it is defined."""

    def mean(*columns: Any) -> Any:
        values = np.stack([statistic(*columns[3 * k : 3 * k + 3]) for k in range(count)])
        known = np.isfinite(values)
        return _ratio(np.where(known, values, 0).sum(0), known.sum(0))

    return mean


def _areas(counts: Tally) -> Columns:
    """both, said, true of the first class, then of the second …"""
    kinds = range(counts.both.shape[1])
    return tuple(a[:, k] for k in kinds for a in (counts.both, counts.said, counts.true))


def _areas_of(kind: int) -> Callable[[Tally], Columns]:
    return lambda t: _areas(t)[3 * kind : 3 * kind + 3]


def _all_objects(counts: Tally) -> Columns:
    """tp, fp, fn at the first threshold, then at the second …"""
    levels = range(len(THRESHOLDS))
    return tuple(a[:, k] for k in levels for a in (counts.tp, counts.fp, counts.fn))


def _pick(threshold: float, *names: str) -> Callable[[Tally], Columns]:
    level = THRESHOLDS.index(threshold)
    return lambda t: tuple(getattr(t, name)[:, level] for name in names)


def _objects(threshold: float) -> Callable[[Tally], Columns]:
    return _pick(threshold, "tp", "fp", "fn")
