"""Train: a small network that reads a concentration off a spectrum."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs
    from pipelines.training.fit import Fit

    from .params import TrainParams


def train(params: TrainParams, inputs: Inputs) -> Iterator[Fit]:
    """One fit, `network`; its epoch is selected by the validation error."""
    from .fits import network_fit

    yield network_fit(params, inputs.prepare)
