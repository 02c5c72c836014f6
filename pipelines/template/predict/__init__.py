"""Predict: concentrations of the validation and test spectra."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import PredictParams


def predict(params: PredictParams, inputs: Inputs, out: Path) -> None:
    """Write `predictions.csv`: split, concentration, predicted (mmol/l)."""
    import pandas as pd

    from pipelines.core.artifacts import write_csv

    from ..prepare.reading import read_split
    from .model import load_network, read_concentrations

    network = load_network(inputs.train)
    tables = []
    for split in ("validation", "test"):
        spectra, concentrations = read_split(inputs.prepare, split)
        predicted = read_concentrations(network, spectra)
        table = {"split": split, "concentration": concentrations, "predicted": predicted}
        tables.append(pd.DataFrame(table))
    write_csv(out / "predictions.csv", pd.concat(tables))
