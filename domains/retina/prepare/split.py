"""Patients to train, validation and test: at random, each age and sex in the same shares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipelines.core.errors import UserError
from pipelines.core.randomness import generator

from .arrays import SPLITS, Target

_BANDS = 5  # of age, as many patients in each


def split_patients(
    table: pd.DataFrame, targets: Sequence[Target], shares: Sequence[float], seed: int
) -> pd.Series:
    """The split of every row: all eyes of a group of patients, mostly of one, go where it goes.

    table: `group` and a column for each target. The strata are the bands of `age` (else of the
    first value) and the classes of `sex` (else of the first binary target), within which patients
    are shuffled; each then goes to the split that most lacks one.

    Raises UserError where there are too few patients for three splits.
    """
    names = [name for name in (_chosen(targets, "binary"), _chosen(targets, "value")) if name]
    people = table.groupby("group", sort=True)[names].mean()
    require_patients(len(people))
    strata = pd.DataFrame({"group": people.index})
    for name in names:
        values = people[name].to_numpy(dtype=float)
        ranks = pd.Series(values).rank(method="average", pct=True).fillna(-1).to_numpy()
        strata[name] = np.ceil(ranks * _BANDS)
    strata["draw"] = generator(seed, len(people)).random(len(people))
    order = strata.sort_values([*names, "draw"], kind="stable")["group"]
    wanted = np.array(shares, dtype=float) / sum(shares)
    splits = dict(zip(order, _dealt(len(order), wanted), strict=True))
    return table["group"].map(splits)


def require_patients(count: int) -> None:
    """UserError where there are too few patients for three splits."""
    if count < len(SPLITS):
        raise UserError(
            f"patients: {count} found, but train, validation and test need one each; "
            "add patients, or name the column that tells them apart"
        )


def _dealt(count: int, wanted: np.ndarray) -> list[str]:
    """Splits of consecutive patients, no stretch of which is far from the wanted shares."""
    given = np.zeros(len(SPLITS))
    dealt = []
    for k in range(count):
        lacking = wanted * (k + 1) - given
        empty = given == 0
        if empty.sum() >= count - k:  # the last patients are for splits that have none
            lacking[~empty] = -np.inf
        split = int(np.argmax(lacking))
        given[split] += 1
        dealt.append(SPLITS[split])
    return dealt


def _chosen(targets: Sequence[Target], kind: str) -> str | None:
    usual = {"value": "age", "binary": "sex"}[kind]
    names = [target.name for target in targets if target.kind == kind]
    return usual if usual in names else next(iter(names), None)
