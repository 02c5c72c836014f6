"""What is trained, rebuilt from the train stage's artifacts for the stages after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from pipelines.core.artifacts import read_json
from pipelines.training.precision import computing_device
from pipelines.training.weights import read_weights

from .critic import Critic
from .generator import Generator
from .latent import LatentWriter
from .writer import Writer


def fits_of(folder: Path) -> dict[str, dict[str, Any]]:
    """The fits in their order, and what each is made of; the last one is the model."""
    fits = read_json(folder / "model.json")["fits"]
    return {name: fit["model"] for name, fit in fits.items()}


def read_writer(folder: Path, fit: str) -> Writer:
    """The generator that a fit has selected, where this machine computes."""
    model = fits_of(folder)[fit]
    if fit == "latent":
        latent = LatentWriter.described(model)
        latent.load_state_dict(_part(folder, fit, "average"))
        return latent.to(computing_device()).eval()
    generator = Generator(**model["generator"])
    generator.load_state_dict(_part(folder, fit, "generator"))
    return generator.to(computing_device()).eval()


def read_critic(folder: Path) -> Critic:
    """The discriminator of the fit `adversarial`."""
    critic = Critic(**fits_of(folder)["adversarial"]["critic"])
    critic.load_state_dict(_part(folder, "adversarial", "critic"))
    return critic.to(computing_device()).eval()


def _part(folder: Path, fit: str, name: str) -> dict[str, Tensor]:
    state = read_weights(folder / "weights.safetensors", fit)
    return {k.removeprefix(f"{name}."): v for k, v in state.items() if k.startswith(f"{name}.")}
