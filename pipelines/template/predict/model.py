"""The trained network, rebuilt from what `train` wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from pipelines.core.artifacts import read_json
from pipelines.training.reproducible import prepare_torch
from pipelines.training.weights import read_weights

from ..train.network import Network


def load_network(trained: Path) -> Network:
    """The network with the selected weights."""
    prepare_torch()
    network = Network(**read_json(trained / "model.json")["fits"]["network"]["model"])
    state = read_weights(trained / "weights.safetensors", "network")
    network.load_state_dict({k.removeprefix("network."): v for k, v in state.items()})
    return network.eval()


def read_concentrations(network: Network, spectra: np.ndarray) -> np.ndarray:
    """Spectra of shape (n, channels) to concentrations of shape (n,), in mmol/l."""
    with torch.inference_mode():
        return network(torch.from_numpy(spectra.astype(np.float32))).numpy()
