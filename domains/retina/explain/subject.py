"""What is explained: the network, its control with randomised weights, and the test eyes."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from pipelines.core.randomness import generator
from pipelines.core.runner import Inputs

from ..evaluate.answers import of_photographs, read_answers
from ..prepare.arrays import Eyes, Target, of_eyes, read_eyes
from ..prepare.cohort import read_cohort
from ..train.ensemble import EyeEnsemble
from ..train.reading import read_network

_LATENT = np.pi / 3**0.5  # deviation of the logistic distribution: the scale of log odds
_TO_SETTLE = 64  # photographs from which the control's normalisation takes up its statistics


@dataclass(frozen=True)
class Subject:
    """The network and its control; `eyes`: validation and test; `said`: the network's answers on
    test patients, `photographs`: on test photographs, as evaluate reads them; `single`: the
    targets that belong to an eye, which evaluate scores by photograph; `prepare`: folder of that
    stage."""

    network: EyeEnsemble
    control: EyeEnsemble
    eyes: Eyes
    said: pd.DataFrame
    photographs: pd.DataFrame
    single: list[Target]
    prepare: Path

    @property
    def targets(self) -> list[Target]:
        """In the order of the network's answers."""
        return self.network.targets

    @property
    def shortcut(self) -> bool:
        """Whether a false cue is planted in the cohort: then Bayes' reader is no bound."""
        cohort = read_cohort(self.prepare)
        return cohort is not None and cohort.shortcut

    def tested(self, count: int) -> np.ndarray:
        """Rows of `eyes`: `count` usable test eyes, spread over the test set."""
        table = self.eyes.table
        rows = np.flatnonzero((table["split"] == "test") & table["usable"])
        if not len(rows):
            rows = np.flatnonzero(table["split"] == "test")
        return rows[np.unique(np.linspace(0, len(rows) - 1, count).round().astype(int))]

    def main_targets(self) -> list[int]:
        """Numbers of the two targets that figures show in full: pressure and age, if there."""
        names = [target.name for target in self.targets]
        first = [names.index(name) for name in ("systolic", "age") if name in names]
        return [*first, *(k for k in range(len(names)) if k not in first)][:2]


def deviations(network: EyeEnsemble) -> np.ndarray:
    """(T,) of the targets: of a value that of training; of a class that of log odds."""
    binary = np.array([target.kind == "binary" for target in network.targets])
    return np.where(binary, _LATENT, network.sd.cpu().double().numpy())


def read_subject(inputs: Inputs, seed: int) -> Subject:
    """Read what earlier stages have left, and make the control.

    Both read each photograph as it is, not mirrored too: half the time, nearly the same readings.
    """
    network = read_network(inputs.train)
    network.mirror = False
    eyes = read_eyes(inputs.prepare, ("validation", "test"))
    said = read_answers(inputs.predict)["model"]
    photographs = of_photographs(inputs.predict, {}).model["model"]
    single = of_eyes(read_eyes(inputs.prepare).table, eyes.targets)
    control = randomised(network, eyes.images[:_TO_SETTLE], seed)
    return Subject(network, control, eyes, said, photographs, single, inputs.prepare)


def randomised(network: EyeEnsemble, images: np.ndarray, seed: int) -> EyeEnsemble:
    """The same network with every weight tensor shuffled: the control of Adebayo et al. 2018.

    Shuffling keeps each layer's distribution of weights and destroys what they say together. The
    statistics of batch normalisation are taken up anew from `images`, so that activations stay in
    the range that they had.
    """
    other, rng = copy.deepcopy(network), generator(seed, 1)
    with torch.no_grad():
        for weights in other.parameters():
            order = torch.from_numpy(rng.permutation(weights.numel())).to(weights.device)
            weights.copy_(weights.flatten()[order].reshape(weights.shape))
    layers = [m for m in other.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the plain mean over all batches
        layer.train()
    device = next(other.parameters()).device
    if layers:
        with torch.no_grad():
            other(torch.from_numpy(np.array(images)).to(device))
    return other.eval()
