"""Limits and quantiles that the validation eyes set, and their use on any eyes."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipelines.core.artifacts import read_json, write_json

from ..prepare.arrays import Target
from .conformal import Bands, Quantiles, calibrated, values_of, warn_of_few
from .tables import patient_table, uncertainty

FILE = "calibration.json"


@dataclass(frozen=True)
class Calibration:
    """What calibration.json holds.

    coverage: what the intervals promise; eyes, patients: quantiles of |true − mean| / sd of each
    value target, by bands of the true value; typical_sd: the median of sd among the usable
    validation eyes; most_uncertain: of an eye of which something is said
    (`tables.uncertainty`), None: no limit.
    """

    coverage: float
    eyes: Quantiles
    patients: Quantiles
    typical_sd: dict[str, float]
    most_uncertain: float | None

    def marked(self, table: pd.DataFrame, targets: list[Target]) -> pd.DataFrame:
        """The table with `abstained` after `usable`."""
        table, abstained = table.copy(), ~table["usable"]
        if self.most_uncertain is not None:
            abstained |= uncertainty(table, targets, self.typical_sd) > self.most_uncertain
        table.insert(table.columns.get_loc("usable") + 1, "abstained", abstained)
        return table


def calibrate(
    table: pd.DataFrame, targets: list[Target], coverage: float, abstain: float
) -> Calibration:
    """From the validation eyes. Only those of which something is said count."""
    usable = table[table["usable"]]
    typical = {name: float(usable[f"{name}_sd"].median()) for name in values_of(targets)}
    limit = None
    if abstain:
        limit = float(np.quantile(uncertainty(usable, targets, typical), 1 - abstain))
    # As calibration.json keeps them, so that `apply` says the same as `predict`.
    typical = {name: float(f"{value:.6g}") for name, value in typical.items()}
    limit = limit if limit is None else float(f"{limit:.6g}")
    first = Calibration(coverage, {}, {}, typical, limit)
    eyes = first.marked(table, targets)
    patients = patient_table(eyes, targets)
    said = [part[~part["abstained"]] for part in (eyes, patients)]
    warn_of_few(said[1], targets, coverage)
    quantiles = [calibrated(part, targets, coverage) for part in said]
    return Calibration(coverage, *quantiles, typical, limit)


def write_calibration(out: Path, calibration: Calibration) -> None:
    """Write calibration.json."""
    write_json(out / FILE, asdict(calibration))


def read_calibration(folder: Path) -> Calibration:
    """What `predict` has calibrated."""
    content: dict[str, Any] = read_json(folder / FILE)
    for unit in ("eyes", "patients"):
        content[unit] = {name: Bands(**bands) for name, bands in content[unit].items()}
    return Calibration(**content)
