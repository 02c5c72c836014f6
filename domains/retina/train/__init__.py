"""What is learnt: one network for all targets, if wished after a pretext without labels."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs
    from pipelines.training.fit import Fit

    from .params import TrainParams


def train(params: "TrainParams", inputs: "Inputs") -> Iterator["Fit"]:
    """Yield the fit `pretext`, unless it is off, and `main`, which takes up its backbone.

    The epoch of `main` is chosen by the validation loss of the targets.
    """
    from .fits import main_fit, pretext_fit
    from .setup import describe, network_of

    about = describe(inputs.prepare, params)
    network = network_of(inputs.prepare, params, about)
    if params.pretext.epochs:
        yield pretext_fit(inputs.prepare, params, about, network)
    yield main_fit(inputs.prepare, params, about, network)
