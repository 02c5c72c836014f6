"""What is learnt: networks for all targets, if wished after a pretext without labels."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs
    from pipelines.training.fit import Fit

    from .params import TrainParams


def train(params: "TrainParams", inputs: "Inputs") -> Iterator["Fit"]:
    """Yield for each member k the fit `pretext_k`, unless it is off, and `member_k`, which takes
    up its backbone.

    Member k is trained with the seed + k, and its epoch chosen by the validation loss of the
    targets.
    """
    from pipelines.training.sharing import owner

    from .fits import member_fit, pretext_fit
    from .setup import describe, network_of

    about = describe(inputs.prepare, params)
    for k in range(params.members):
        own = params.model_copy(update={"seed": params.seed + k})
        network = network_of(inputs.prepare, own, about)
        by = owner(k, params.members)
        if own.pretext.epochs:
            fit = pretext_fit(f"pretext_{k}", inputs.prepare, own, about, network)
            yield replace(fit, owner=by)
        fit = member_fit(f"member_{k}", inputs.prepare, own, about, network)
        yield replace(fit, owner=by)
