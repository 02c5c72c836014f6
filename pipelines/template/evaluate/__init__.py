"""Evaluate: the error beside baselines and beside the best possible one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import EvaluateParams


def evaluate(params: EvaluateParams, inputs: Inputs, out: Path) -> None:
    """Write `metrics.json`, `scores.csv`, `baselines.json` and the error by concentration."""
    from .scores import write_scores

    write_scores(params, inputs, out)
