"""`scistage apply`: concentrations of the spectra in CSV files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.core.artifacts import read_user_csv, write_csv
from pipelines.core.errors import UserError
from pipelines.core.runner import Inputs

from .model import load_network, read_concentrations

SUFFIXES = (".csv",)
TABLE = "predictions.csv"


def apply(inputs: Inputs, files: list[Path], out: Path) -> None:
    """Write `predictions.csv` (file, row, concentration in mmol/l).

    Args:
        inputs: the domain's folders.
        files: CSV tables, a spectrum a row, a column a wavelength.
        out: folder to write to.

    Raises:
        UserError: a table has another number of columns, or a value that is no number.
    """
    network = load_network(inputs.train)
    channels = network.channels
    tables = []
    for file in files:
        table = read_user_csv(file)
        # pandas tells columns of one name apart: 0.12 and 0.12.1
        given = pd.Series(table.columns).str.replace(r"(\.\d+)\.\d+$", r"\1", regex=True)
        names = pd.to_numeric(given, errors="coerce")
        wavelengths = names.is_monotonic_increasing or names.is_monotonic_decreasing
        if names.notna().all() and not wavelengths:
            raise UserError(f"{file}: line 1 is a spectrum; put the names of the columns before it")
        if table.shape[1] != channels:
            raise UserError(f"{file}: found {table.shape[1]} columns; {channels} are needed")
        try:
            spectra = table.to_numpy(dtype=np.float32)
        except ValueError as error:
            raise UserError(f"{file}: {error}; every field must be a number") from None
        if not np.isfinite(spectra).all():
            row, column = np.argwhere(~np.isfinite(spectra))[0]
            name = table.columns[column]
            raise UserError(f"{file}: row {row + 1}, column {name}: no finite number; fill it")
        found = read_concentrations(network, spectra)
        rows = np.arange(1, len(found) + 1)
        tables.append(pd.DataFrame({"file": file.name, "row": rows, "concentration": found}))
    write_csv(out / TABLE, pd.concat(tables))
