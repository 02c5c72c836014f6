"""What both models begin with: a fit of likelihood."""

from __future__ import annotations

from typing import Any

from pipelines.training.fit import Fit

from ..prepare.arrays import Corpus
from .batches import LengthBatches, of_batches
from .likelihood import Likelihood, Pace
from .params import TrainParams

VALIDATED = 1000  # molecules a validation batch
_SPARE = 5  # tokens that a molecule may be longer than the longest of the data


def shape(params: TrainParams, *corpora: Corpus) -> dict[str, Any]:
    """The arguments that `Generator` and `Autoencoder` have in common."""
    longest = int(max(corpus.lengths.max() for corpus in corpora)) + _SPARE
    sizes = params.generator.model_dump()
    return {"vocabulary": corpora[0].vocabulary, **sizes, "longest": longest}


def pace(params: TrainParams, batches: LengthBatches) -> Pace:
    """The schedule of `params.likelihood`."""
    how = params.likelihood
    return Pace(how.learning_rate, how.epochs * len(batches), how.weight_decay)


def warm_up(
    params: TrainParams, batches: LengthBatches, checked: Corpus, module: Likelihood, **named: Any
) -> Fit:
    """A fit of `params.likelihood`, chosen by validation likelihood.

    Args:
        params: of the stage.
        batches: to learn from.
        checked: validation molecules.
        module: with the network and its `pace`.
        named: `name` and `model` of the fit.
    """
    return Fit(
        module=module,
        data=of_batches(batches, LengthBatches(checked, VALIDATED, None), params.seed),
        epochs=params.likelihood.epochs,
        seed=params.seed,
        monitor="val_nats",
        mode="min",
        low_precision=True,
        **named,
    )
