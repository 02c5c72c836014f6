"""The fits: the pretext without labels, and the main one."""

from pathlib import Path
from typing import Any

from pipelines.core.randomness import seed_everything
from pipelines.training.fit import EpochDataModule, Fit

from .dataset import as_it_is
from .losses import known_shares
from .module import EyeReader
from .network import EyeNetwork
from .params import TrainParams
from .pretext import TurnedEyes, TurnReader
from .setup import data_of, freeze, target_weights


def pretext_fit(
    name: str, folder: Path, params: TrainParams, about: dict[str, Any], network: EyeNetwork
) -> Fit:
    """Trains the network's backbone to tell by how much an eye is turned."""
    # An eye shown upside down would be taken for one turned by half.
    upright = params.model_copy(update={"upside_down": False})
    learnt, checked = (TurnedEyes(e, params.seed) for e in data_of(folder, upright, about))
    first, steps = params.pretext, params.pretext.epochs * _steps(learnt, params)
    return Fit(
        name=name,
        module=TurnReader(network, first.learning_rate, params.weight_decay, steps),
        data=EpochDataModule(learnt, checked, params.batch_size, params.seed, collate=as_it_is),
        epochs=first.epochs,
        seed=params.seed,
        monitor="val_loss",
        mode="min",
        gradient_clip=params.gradient_clip,
        model={"kind": first.kind},
        low_precision=True,
    )


def member_fit(
    name: str, folder: Path, params: TrainParams, about: dict[str, Any], network: EyeNetwork
) -> Fit:
    """Trains what is not frozen to read the targets, and a cohort's anatomy beside them."""
    learnt, checked = data_of(folder, params, about)
    freeze(network, params)
    seed_everything(params.seed)
    return Fit(
        name=name,
        module=EyeReader(
            network,
            params,
            params.epochs * _steps(learnt, params),
            known_shares(learnt.truth),
            target_weights(params, about),
        ),
        data=EpochDataModule(learnt, checked, params.batch_size, params.seed, collate=as_it_is),
        epochs=params.epochs,
        seed=params.seed,
        monitor="val_loss",
        mode="min",
        gradient_clip=params.gradient_clip,
        model=about,
        low_precision=True,
    )


def _steps(learnt: Any, params: TrainParams) -> int:
    return -(-len(learnt) // params.batch_size)
