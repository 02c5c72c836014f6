"""Subgroups of test patients: by sex, age band, sharpness, number of photographs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from ..prepare.arrays import Eyes
from .answers import by_patient

_SHARPNESS = ("sharpest third", "middle third of sharpness", "least sharp third")
_OPPOSITE = {"male": "female", "female": "male"}


def subgroups(
    asked: pd.Series, eyes: Eyes, age_edges: Sequence[float], smallest: int
) -> dict[str, list[str]]:
    """Name to patients, of those of `asked`; `all` first; smaller ones than `smallest` left out.

    Sharpness: terciles of the quality measure `blur` (0 sharp, mean of a patient's photographs).
    """
    table = by_patient(eyes, {"blur": eyes.table["blur"].to_numpy()}).loc[asked]
    count = eyes.table[eyes.table["usable"]].groupby("patient").size().reindex(asked).fillna(0)
    found = {"all": np.ones(len(table), dtype=bool)} | _by_sex(table, eyes)
    if "age" in table and any(t.name == "age" and t.kind == "value" for t in eyes.targets):
        found |= _by_age(table["age"].to_numpy(), sorted(age_edges))
    order = np.argsort(np.argsort(table["blur"].to_numpy(), kind="stable"), kind="stable")
    for k, name in enumerate(_SHARPNESS):
        found[name] = order * 3 // len(order) == k
    if len(set(count)) > 1:
        found["one photograph"] = count.to_numpy() == 1
    names = asked.to_numpy()
    kept = {name: names[inside].tolist() for name, inside in found.items()}
    return {name: who for name, who in kept.items() if name == "all" or len(who) >= smallest}


def _by_sex(table: pd.DataFrame, eyes: Eyes) -> dict[str, np.ndarray]:
    sex = next((t for t in eyes.targets if t.name == "sex" and t.kind == "binary"), None)
    if sex is None:
        return {}
    names = (sex.positive, _OPPOSITE.get(sex.positive, f"not {sex.positive}"))
    return {name: (table["sex"] == 1 - k).to_numpy() for k, name in enumerate(names)}


def _by_age(age: np.ndarray, edges: Sequence[float]) -> dict[str, np.ndarray]:
    if not edges:
        return {}
    found = {f"age under {edges[0]:g}": age < edges[0]}
    for low, high in pairwise(edges):
        found[f"age {low:g} to under {high:g}"] = (low <= age) & (age < high)
    return found | {f"age {edges[-1]:g} and over": age >= edges[-1]}
