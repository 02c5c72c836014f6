"""The trained network, rebuilt from what `train` wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from pipelines.training.reproducible import prepare_torch
from pipelines.training.weights import load_weights, model_of

from ..train.network import Network


def load_network(trained: Path) -> Network:
    """The network with the selected weights."""
    prepare_torch()
    with model_of(trained, "network") as model:
        network = Network(**model)
    load_weights(network, trained, "network")
    return network.eval()


def read_concentrations(network: Network, spectra: np.ndarray) -> np.ndarray:
    """Spectra of shape (n, channels) to concentrations of shape (n,), in mmol/l."""
    with torch.inference_mode():
        return network(torch.from_numpy(spectra.astype(np.float32))).numpy()
