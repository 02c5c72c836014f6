"""The fits of the model `latent_gan`: the autoencoder first, then the game in its latent space."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset

from pipelines.core.randomness import seed_everything
from pipelines.training.fit import EpochDataModule, Fit, Key
from pipelines.training.precision import computing_device

from ..prepare.arrays import Corpus, read_corpus
from .autoencoder import Autoencoder, Reconstruction, encode_all
from .batches import LengthBatches, of_batches
from .latent import LatentCritic, LatentGame, LatentGan, LatentGenerator, LatentWriter
from .likelihood import Pace
from .params import TrainParams
from .validation import Noise, chemnet_distance

_SPARE = 5  # tokens that a molecule may be longer than the longest that is learnt from
_VALIDATED = 1000  # molecules a validation batch


class Rows(Dataset[Tensor]):
    """Item (epoch, index) is a row of latents (n, latent)."""

    def __init__(self, latents: Tensor) -> None:
        self.latents = latents

    def __len__(self) -> int:
        return len(self.latents)

    def __getitem__(self, key: Key) -> Tensor:
        return self.latents[key[1]]


def fits(params: TrainParams, prepared: Path) -> Iterator[Fit]:
    """Yield `autoencoder`, chosen by validation likelihood, and `latent`, by validation FCD."""
    learnt, checked = (read_corpus(prepared, split) for split in ("train", "validation"))
    batches = LengthBatches(learnt, params.likelihood.batch_size, params.seed)
    network = _network(params, learnt, checked)
    seed_everything(params.seed)
    autoencoder = Autoencoder(**network)
    yield _autoencoder(params, autoencoder, batches, checked, network)
    yield _latent(params, autoencoder, batches, prepared, network)


def _network(params: TrainParams, *corpora: Corpus) -> dict[str, Any]:
    """The arguments of `Autoencoder`."""
    return {
        "vocabulary": corpora[0].vocabulary,
        **params.generator.model_dump(),
        "latent": params.latent.latent,
        "blur": params.latent.blur,
        "longest": int(max(corpus.lengths.max() for corpus in corpora)) + _SPARE,
    }


def _autoencoder(
    params: TrainParams,
    autoencoder: Autoencoder,
    batches: LengthBatches,
    checked: Corpus,
    network: dict[str, Any],
) -> Fit:
    how = params.likelihood
    pace = Pace(how.learning_rate, how.epochs * len(batches), how.weight_decay)
    return Fit(
        name="autoencoder",
        module=Reconstruction(autoencoder, pace),
        data=of_batches(batches, LengthBatches(checked, _VALIDATED, None), params.seed),
        epochs=how.epochs,
        seed=params.seed,
        monitor="val_nats",
        mode="min",
        model={"autoencoder": network},
        low_precision=True,
    )


def _latent(
    params: TrainParams,
    autoencoder: Autoencoder,
    batches: LengthBatches,
    prepared: Path,
    network: dict[str, Any],
) -> Fit:
    how = params.latent
    latents = encode_all(autoencoder.to(computing_device()).eval(), batches)
    perceptrons = {
        "generator": {"size": how.size, "latent": how.latent, "hidden": how.hidden},
        "critic": {"latent": how.latent, "hidden": how.hidden},
    }
    seed_everything(params.seed, 1)
    generator = LatentGenerator(**perceptrons["generator"])
    generator.begin_with(latents)
    writer = LatentWriter(autoencoder.cpu(), generator)
    critic = LatentCritic(**perceptrons["critic"])
    game = LatentGame(how.learning_rate, how.critic_steps, how.penalty, how.memory)
    together = how.critic_steps * how.batch_size  # for one step of the generator
    noise = Noise(how.drawn, how.size, params.seed)
    return Fit(
        name="latent",
        module=LatentGan(writer, critic, game, chemnet_distance(prepared)),
        data=EpochDataModule(Rows(latents), noise, together, params.seed, _VALIDATED),
        epochs=how.epochs,
        seed=params.seed,
        monitor="val_fcd",
        mode="min",
        model={"autoencoder": network, **perceptrons},
    )
