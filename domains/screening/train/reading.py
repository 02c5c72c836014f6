"""The trained ensemble, rebuilt from the train stage's artifacts, and what it says of molecules."""

from pathlib import Path

import numpy as np
import torch
from lightning_fabric.utilities import move_data_to_device
from numpy.typing import NDArray

from pipelines.training.memory import keep_few_kernels
from pipelines.training.precision import autocast, computing_device
from pipelines.training.reproducible import prepare_torch
from pipelines.training.weights import load_weights, model_of, read_models

from ..prepare.arrays import Graphs
from .network import BondNetwork, as_tensors
from .states import find_states

TOGETHER = 1024  # molecules in a batch: of more of them more states are the same


class Ensemble:
    """Networks that differ in what they were started from.

    members: all of the same shape and ready for prediction. `.targets` is what they tell, `.join`
    what they take beside graphs.
    """

    def __init__(self, members: list[BondNetwork]) -> None:
        self.members = members
        self.targets, self.join = members[0].targets, members[0].join

    def predict(self, graphs: Graphs, joined: NDArray[np.generic]) -> NDArray[np.float64]:
        """(members, n, T): logits of classes, values in their unit.

        joined: (n, J), as `joining.joined_of` has it.
        """
        parts = [
            self._predict(graphs.take(rows), joined[rows])
            for rows in np.split(np.arange(len(graphs)), range(TOGETHER, len(graphs), TOGETHER))
        ]
        return np.concatenate(parts, axis=1)

    @torch.inference_mode()
    def _predict(self, graphs: Graphs, joined: NDArray[np.generic]) -> NDArray[np.float64]:
        first = self.members[0]
        device = first.target_mean.device
        states = find_states(graphs, first.depth)
        given = move_data_to_device(as_tensors(states, joined), device)
        with autocast(device, low=True):
            said = torch.stack([member(given) for member in self.members]).double()
        return (said * first.target_sd + first.target_mean).cpu().numpy()


def read_ensemble(folder: Path) -> Ensemble:
    """Rebuild it from `weights.safetensors` and `model.json` in the folder.

    Raises UserError if one of them is missing or damaged.
    """
    prepare_torch()
    keep_few_kernels()
    members = []
    for name in read_models(folder):
        with model_of(folder, name) as model:
            network = BondNetwork(**model)
        load_weights(network, folder, name)
        members.append(network.to(computing_device()).eval())
    return Ensemble(members)
