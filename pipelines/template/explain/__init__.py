"""Explain: which wavelengths move the answer, with a randomised-weights control."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import ExplainParams


def explain(params: ExplainParams, inputs: Inputs, out: Path) -> None:
    """Write the sensitivity of the network beside the Bayes-optimal filter."""
    from .sensitivity import write_sensitivity

    write_sensitivity(params, inputs, out)
