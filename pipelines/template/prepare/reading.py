"""Reading what `prepare` wrote: shared by the later stages, and free of torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipelines.core.artifacts import read_csv


def read_split(prepared: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Spectra of shape (n, channels) and concentrations of shape (n,) of one split."""
    chosen = read_csv(prepared / "samples.csv").query("split == @split")
    spectra = np.load(prepared / "spectra.npy")[chosen.index.to_numpy()]
    return spectra, chosen["concentration"].to_numpy()
