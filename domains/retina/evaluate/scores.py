"""scores.csv: every method on every target, by group, with intervals from one bootstrap.

Metrics are named `<target>_<measure>`; `measures` says what each is. `<target>_r2_of_bayes` is
the share of the R² of the Bayes-optimal reader that the model reaches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from pipelines.core.contract import SCORE_COLUMNS, THIS_RUN
from pipelines.statistics.bootstrap import LEVEL, Interval, bounded
from pipelines.statistics.resampling import weightings

from ..prepare.arrays import Target
from .answers import Answers
from .baselines import MEAN
from .measures import COMPARED, IN_GROUPS, measure, rows_of
from .oracles import BAYES

MOST_HEADLINES = 8
_IN_GROUPS_TOO = ("model", MEAN, BAYES)  # whose subgroups are told

Line = tuple[str, str, str, float, float, float, float, str]
Values = dict[tuple[str, str], np.ndarray]  # (row, measure): score under each weighting


def score_table(
    answers: Mapping[str, Answers],
    groups: Mapping[str, Sequence[str]],
    targets: Sequence[Target],
    seed: int,
    published: Sequence[Line] = (),
) -> pd.DataFrame:
    """Every method and the paired differences of the model to each, on all and in subgroups.

    answers: of each target by its name; groups: name to patients; published: further lines.
    """
    lines: list[Line] = []
    for group, members in groups.items():
        for target in targets:
            methods = {**answers[target.name].model, **answers[target.name].others}
            if group != "all":
                methods = {name: methods[name] for name in _IN_GROUPS_TOO if name in methods}
            lines += _of_group(methods, list(members), group, target, seed)
    parts = [one.model for one in answers.values()] + [one.others for one in answers.values()]
    order = {name: k for k, name in enumerate(dict.fromkeys(n for part in parts for n in part))}
    place = {group: k for k, group in enumerate(groups)}
    lines.sort(key=lambda line: (order.get(line[0], len(order)), place[line[2]]))
    return pd.DataFrame([*lines, *published], columns=SCORE_COLUMNS)


def headlines(scores: pd.DataFrame, targets: Sequence[Target]) -> dict[str, float]:
    """The model's main scores of group "all", those that are defined, from scores.csv."""
    of_model = scores[(scores["row"] == "model") & (scores["group"] == "all")]
    values = dict(zip(of_model["metric"], of_model["value"], strict=True))
    names = [f"{t.name}_{'r2' if t.kind == 'value' else 'auc'}" for t in targets]
    names += [f"{t.name}_mae" for t in targets if t.kind == "value"]
    known = [name for name in names if np.isfinite(values.get(name, np.nan))]
    return {name: values[name] for name in sorted(known[:MOST_HEADLINES], key=list(values).index)}


def _of_group(
    methods: Mapping[str, pd.DataFrame],
    members: list[str],
    group: str,
    target: Target,
    seed: int,
) -> Iterator[Line]:
    """The lines of one target in one group of patients."""
    rows = {}
    for name, table in methods.items():
        everybody = members
        if group == "all":  # with abstentions there are more of them
            everybody = list(dict.fromkeys([*members, *table["patient"]]))
        rows[name] = (rows_of(table, target, {p: k for k, p in enumerate(everybody)}), everybody)
    sizes = {name: len(everybody) for name, (_, everybody) in rows.items()}
    values: Values = {}
    for size in dict.fromkeys(sizes.values()):
        blocks = [
            {n: measure(r, target, w) for n, (r, _) in rows.items() if sizes[n] == size}
            for w in weightings(size, seed)
        ]
        for name in blocks[0]:
            for what in blocks[0][name]:
                values[name, what] = np.concatenate([block[name][what] for block in blocks])
    for (name, what), found in values.items():
        if group != "all" and what not in IN_GROUPS:
            continue
        n = len(rows[name][0])
        # An AUC of one class is told to be unknown: the report may ask for it.
        if np.isfinite(found[0]) or (n and (name, what, group) == ("model", "auc", "all")):
            exact = what == "coverage" and len(set(rows[name][0].patient)) == n
            result = _binomial(found[0], n) if exact else bounded(found, sizes[name])
            yield (name, f"{target.name}_{what}", group, *result, n, THIS_RUN)
    if group == "all":
        yield from _differences(values, sizes, target, len(rows["model"][0]))


def _differences(
    values: Values, sizes: Mapping[str, int], target: Target, n: int
) -> Iterator[Line]:
    """model − other on the same draws of the same patients, and the share of Bayes' R²."""
    for (name, what), theirs in values.items():
        ours = values["model", what]
        comparable = not name.startswith("model") and sizes[name] == sizes["model"]
        if comparable and what in COMPARED and np.isfinite(ours[0] - theirs[0]):
            gap = bounded(ours - theirs, sizes[name])
            yield (f"model - {name}", f"{target.name}_{what}", "all", *gap, n, THIS_RUN)
        if name == BAYES and what == "r2" and theirs[0] > 0:
            share = bounded(ours / theirs, sizes[name])
            yield ("model", f"{target.name}_r2_of_bayes", "all", *share, n, THIS_RUN)


def _binomial(share: float, n: int) -> Interval:
    """Exact interval of a share of independent patients (Clopper and Pearson 1934)."""
    bounds = binomtest(round(share * n), n).proportion_ci(LEVEL, method="exact")
    return Interval(float(share), float(bounds.low), float(bounds.high))
