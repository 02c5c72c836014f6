"""The trained network, rebuilt from the train stage's artifacts, and what it says of images."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipelines.core.errors import UserError
from pipelines.training.precision import autocast, computing_device
from pipelines.training.reproducible import prepare_torch
from pipelines.training.weights import MODEL, load_weights, model_of, read_models

from .ensemble import EyeEnsemble
from .network import EyeNetwork

MEMBER = "member_"
BATCH = 64


def read_network(folder: Path) -> EyeEnsemble:
    """Rebuild the networks from `weights.safetensors` and `model.json` in the folder.

    They are ready for prediction, where this machine computes; `.targets` are their targets.
    Raises UserError if one of the files is missing or damaged.
    """
    prepare_torch()
    members = []
    for name in (name for name in read_models(folder) if name.startswith(MEMBER)):
        with model_of(folder, name) as model:
            network = EyeNetwork(**model)
        load_weights(network, folder, name)
        members.append(network)
    if not members:
        raise UserError(f"{folder / MODEL}: fits: found none called {MEMBER}…; train again")
    whole = EyeEnsemble(members)
    return whole.to(computing_device(), memory_format=torch.channels_last).eval()


def answers(network: EyeEnsemble, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the network says of (n, H, W, 3) uint8 images.

    (n, T) means in units or logits, and (n, T) standard deviations in units; float64. Where the
    network has learnt from mirrored eyes too, each image is seen as it is and mirrored, and both
    are averaged: whether it is a left or a right eye makes no difference, and need not be known.
    """
    device = next(network.parameters()).device
    parts = []
    for start in range(0, len(images), BATCH):
        batch = torch.from_numpy(np.array(images[start : start + BATCH])).to(device)
        with torch.inference_mode(), autocast(device, low=True):
            shown = (batch, batch.flip(2)) if network.mirror else (batch,)
            views = [_in_units(network, view) for view in shown]
        parts.append(torch.stack(views).mean(dim=0).cpu().double().numpy())
    joined = np.concatenate(parts) if parts else np.zeros((0, 2, len(network.targets)))
    return joined[:, 0], joined[:, 1]


def _in_units(network: EyeEnsemble, batch: Tensor) -> Tensor:
    """(n, 2, T): means or logits, and standard deviations."""
    answer = network(batch)
    centre = answer.centre * network.sd + network.mean
    return torch.stack([centre, torch.exp(answer.log_variance / 2) * network.sd], dim=1)
