"""scores.csv: every method on every target, by group, with intervals from one bootstrap.

The bootstrap is over what the split kept together, such as scaffolds. `measures` says what each
metric is; with several targets its name is `<target>_<metric>`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipelines.core.contract import SCORE_COLUMNS, THIS_RUN
from pipelines.statistics.bootstrap import bounded
from pipelines.statistics.resampling import weightings

from ..prepare.arrays import Target
from .baselines import FOREST
from .measures import COMPARED, IN_GROUPS, measure, rows_of

MODEL, BOTH = "model", f"model + {FOREST.split()[-1]}"
MOST_HEADLINES = 8
FEWEST = 5  # molecules of either class in a subgroup: of fewer a bootstrap says nothing
_OF_CLASS = ("roc_auc", "average_precision", "enrichment_5", "bedroc", "brier")
_HEADLINES = (*_OF_CLASS, "rmse", "mae", "r2")

Line = tuple[Any, ...]
Tables = Mapping[str, pd.DataFrame]


def score_table(
    answers: Tables,
    groups: Mapping[str, np.ndarray],
    targets: Sequence[Target],
    seed: int,
    published: Sequence[Line] = (),
) -> pd.DataFrame:
    """Every method, and the paired differences model − baseline, and of BOTH to the forest.

    answers: of the same test molecules, line by line, MODEL first; groups: name to rows (n,) bool,
    in which only MODEL and the forest are told, except in `all`; published: further lines.
    """
    lines: list[Line] = []
    for group, rows in groups.items():
        names = list(answers) if group == "all" else [MODEL, FOREST]
        for target in targets:
            prefix = f"{target.name}_" if len(targets) > 1 else ""
            told = {name: answers[name][rows] for name in names}
            lines += [
                (row, prefix + metric, group, *rest)
                for row, metric, *rest in _of_group(told, target, group == "all", seed)
            ]
    order = {name: k for k, name in enumerate(answers)}
    lines.sort(key=lambda line: (line[0] not in order, order.get(line[0], 0)))
    return pd.DataFrame([*lines, *published], columns=SCORE_COLUMNS)


def headlines(scores: pd.DataFrame) -> dict[str, float]:
    """The model's main scores of group "all", at most MOST_HEADLINES, from scores.csv."""
    of_model = scores[(scores["row"] == MODEL) & (scores["group"] == "all")]
    values = dict(zip(of_model["metric"], of_model["value"], strict=True))
    # Of each target its first metric before the second of any.
    ranked = [name for what in _HEADLINES for name in values if name.endswith(what)]
    return {name: values[name] for name in values if name in ranked[:MOST_HEADLINES]}


def _of_group(answers: Tables, target: Target, whole: bool, seed: int) -> Iterator[Line]:
    """Row, metric, value, low, high, n and source, of one target in one group of molecules."""
    rows = {name: rows_of(table, target) for name, table in answers.items()}
    n, ones = len(rows[MODEL]), rows[MODEL].truth.sum()
    if not n or (target.kind == "class" and not whole and min(ones, n - ones) < FEWEST):
        return
    count = int(rows[MODEL].group.max()) + 1
    blocks = [
        {name: measure(r, target, weights) for name, r in rows.items()}
        for weights in weightings(count, seed)
    ]
    values = {
        (name, metric): np.concatenate([block[name][metric] for block in blocks])
        for name, found in blocks[0].items()
        for metric in found
        if whole or metric in IN_GROUPS
    }
    for (name, metric), drawn in values.items():
        if np.isfinite(drawn[0]):
            found = bounded(drawn, count)
            # See `measures`; and where all or none are inside, every draw says the same.
            if metric == "calibration_error" or (metric == "coverage" and found.value in (0, 1)):
                found = found._replace(low=np.nan, high=np.nan)
            yield name, metric, *found, n, THIS_RUN
    if not whole:
        return
    others = [name for name in rows if name not in (MODEL, BOTH)]
    for ours, theirs in [*((MODEL, name) for name in others), (BOTH, FOREST)]:
        for metric in blocks[0][theirs]:
            gap = values[ours, metric] - values[theirs, metric]
            if metric in COMPARED and np.isfinite(gap[0]):
                yield f"{ours} - {theirs}", metric, *bounded(gap, count), n, THIS_RUN
