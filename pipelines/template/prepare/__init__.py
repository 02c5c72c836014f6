"""Prepare: generate spectra with known concentrations, split them, write the card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import PrepareParams


def prepare(params: PrepareParams, inputs: Inputs, out: Path) -> None:
    """Write `spectra.npy` (spectra, channels), `samples.csv`, the card and a preview."""
    from .generate import write_samples

    write_samples(params, out)
