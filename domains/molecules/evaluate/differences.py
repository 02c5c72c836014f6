"""The model against each other set that competes with it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.core.contract import THIS_RUN

from .drawn import BASELINES


def differences(scores: pd.DataFrame) -> pd.DataFrame:
    """Rows `model - name` for `likelihood` and the baselines, where both have the score.

    The interval is that of two independent estimates, recovered from theirs (Zou and Donner 2008).
    Likelihood's draws come from the model's own noise: for them it is somewhat wide.
    """
    columns = ["value", "low", "high"]
    tables = {row: part.set_index("metric") for row, part in scores.groupby("row", sort=False)}
    model = tables["model"]
    parts = []
    for name in ("likelihood", *BASELINES):
        if name not in tables:
            continue
        common = model.index.intersection(tables[name].index, sort=False)
        ours, theirs = (table.loc[common, columns] for table in (model, tables[name]))
        found = _difference(*ours.to_numpy(float).T, *theirs.to_numpy(float).T)
        part = pd.DataFrame(found, columns=columns, index=common).dropna()
        part["n"] = np.fmin(model.loc[part.index, "n"], tables[name].loc[part.index, "n"])
        part = part.rename_axis("metric").reset_index()
        parts.append(part.assign(row=f"model - {name}", group="all", source=THIS_RUN))
    return pd.concat(parts)[scores.columns] if parts else scores.iloc[:0]


def _difference(
    a: np.ndarray,
    a_low: np.ndarray,
    a_high: np.ndarray,
    b: np.ndarray,
    b_low: np.ndarray,
    b_high: np.ndarray,
) -> np.ndarray:
    """(n, 3) of a − b: value, low, high."""
    low = a - b - np.hypot(a - a_low, b_high - b)
    high = a - b + np.hypot(a_high - a, b - b_low)
    return np.stack([a - b, low, high], axis=1)
