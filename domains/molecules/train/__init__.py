"""What is learnt: to write molecules, by likelihood and then against a critic."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs
    from pipelines.training.fit import Fit

    from .params import TrainParams


def train(params: "TrainParams", inputs: "Inputs") -> Iterator["Fit"]:
    """Yield the fits `likelihood` and `adversarial`; or `autoencoder` and `latent`."""
    if params.model == "gan":
        from .gan import fits
    else:
        from .latent_gan import fits
    yield from fits(params, inputs.prepare)
