"""Subgroups of test molecules, by how far they are from what was learnt."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd


def subgroups(table: pd.DataFrame, edges: Sequence[float], smallest: int) -> dict[str, np.ndarray]:
    """Name to rows (n,) bool; `all` first; smaller ones than `smallest` are left out.

    table: with `inside` the applicability domain and `similarity` to the nearest training
    molecule; edges: similarities at which a new band begins.
    """
    inside, similarity = table["inside"].to_numpy(bool), table["similarity"].to_numpy(float)
    found = {"inside the applicability domain": inside, "outside the applicability domain": ~inside}
    for name, (low, high) in bands(edges).items():
        found[name] = (low <= similarity) & (similarity < high)
    kept = {name: rows for name, rows in found.items() if smallest <= rows.sum() < len(rows)}
    return {"all": np.ones(len(table), dtype=bool), **kept}


def bands(edges: Sequence[float]) -> dict[str, tuple[float, float]]:
    """Name to lowest and first excluded similarity; {} without edges."""
    if not edges:
        return {}
    edges = sorted(edges)
    first, last = f"similarity under {edges[0]:g}", f"similarity {edges[-1]:g} and over"
    middle = {f"similarity {a:g} to under {b:g}": (a, b) for a, b in pairwise(edges)}
    return {first: (-np.inf, edges[0]), **middle, last: (edges[-1], np.inf)}
