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

from ..prepare.arrays import read_corpus
from .autoencoder import Autoencoder, Reconstruction, encode_all
from .batches import LengthBatches
from .latent import LatentCritic, LatentGame, LatentGan, LatentGenerator, LatentWriter
from .params import TrainParams
from .validation import Noise, chemnet_distance
from .warm_up import VALIDATED, pace, shape, warm_up


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
    sizes = {"latent": params.latent.latent, "blur": params.latent.blur}
    network = shape(params, learnt, checked) | sizes
    seed_everything(params.seed)
    autoencoder = Autoencoder(**network)
    module = Reconstruction(autoencoder, pace(params, batches))
    model = {"autoencoder": network}
    yield warm_up(params, batches, checked, module, name="autoencoder", model=model)
    yield _latent(params, autoencoder, batches, prepared, network)


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
        data=EpochDataModule(Rows(latents), noise, together, params.seed, VALIDATED),
        epochs=how.epochs,
        seed=params.seed,
        monitor="val_fcd",
        mode="min",
        model={"autoencoder": network, **perceptrons},
    )
