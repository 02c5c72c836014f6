"""How the molecules' properties are distributed, as tables for plots."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

PROPERTIES = {"logp": "logp", "sa": "synthetic_accessibility", "qed": "qed", "weight": "weight_da"}
_BINS = 60


def histograms(
    columns: Mapping[str, Mapping[str, NDArray[np.float64]]],
) -> dict[str, pd.DataFrame]:
    """Densities in equal bins from the 0.1st to the 99.9th percentile of all, by property.

    columns: by the set's name, then by the property's, the values of its molecules. A table has
    the middles of the bins first, then a column `density_<set>` for each set with any molecule.
    """
    tables = {}
    for short, name in PROPERTIES.items():
        values = {row: found[short] for row, found in columns.items() if len(found[short])}
        every = np.concatenate([*values.values(), np.zeros(0)])
        if not len(every):
            every = np.zeros(1)
        low, high = np.percentile(every, [0.1, 99.9])
        edges = np.linspace(low, high if high > low else low + 1.0, _BINS + 1)
        table = {name: (edges[1:] + edges[:-1]) / 2}
        for row, found in values.items():
            counts = np.histogram(found, bins=edges)[0]
            column = row.replace(",", "").replace(" ", "_")
            table[f"density_{column}"] = counts / len(found) / np.diff(edges)
        tables[short] = pd.DataFrame(table)
    return tables
