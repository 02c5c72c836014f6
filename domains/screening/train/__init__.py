"""What is learnt: an ensemble of message-passing networks for all targets at once."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs
    from pipelines.training.fit import Fit

    from .params import TrainParams


def train(params: "TrainParams", inputs: "Inputs") -> Iterator["Fit"]:
    """Yield the fits `member_0`, `member_1` …, each a function of the seed and its number alone.

    The epoch of each is chosen by the loss on the validation molecules.
    """
    from pipelines.training.memory import keep_few_kernels

    from .fits import fits

    keep_few_kernels()
    yield from fits(params, inputs.prepare)
