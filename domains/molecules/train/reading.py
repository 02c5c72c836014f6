"""What is trained, rebuilt from the train stage's artifacts for the stages after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from pipelines.training.precision import computing_device
from pipelines.training.weights import load_weights, model_of, read_models

from .critic import Critic
from .generator import Generator
from .latent import LatentWriter
from .writer import Writer

_PARTS = ("generator", "anchor", "critic", "average")  # of a fit


def fits_of(folder: Path) -> dict[str, dict[str, Any]]:
    """The fits in their order, and what each is made of; the last one is the model."""
    return read_models(folder)


def read_writer(folder: Path, fit: str) -> Writer:
    """The generator that a fit has selected, where this machine computes."""
    with model_of(folder, fit) as model:
        latent = fit == "latent"
        writer = LatentWriter.described(model) if latent else Generator(**model["generator"])
    _load(writer, folder, fit, "average" if latent else "generator")
    return writer.to(computing_device()).eval()


def read_critic(folder: Path) -> Critic:
    """The discriminator of the fit `adversarial`."""
    with model_of(folder, "adversarial") as model:
        critic = Critic(**model["critic"])
    _load(critic, folder, "adversarial", "critic")
    return critic.to(computing_device()).eval()


def _load(module: nn.Module, folder: Path, fit: str, part: str) -> None:
    others = tuple(name for name in _PARTS if name != part)
    load_weights(module, folder, fit, part, others)
