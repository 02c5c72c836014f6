"""Linear measurements of the anatomy by what the network computes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch

from pipelines.training.precision import autocast

from ..train.ensemble import EyeEnsemble
from ..train.reading import BATCH

FOLDS = 5
STRENGTH = 1.0  # of the ridge penalty, on standardised inputs


def embedded(network: EyeEnsemble, images: np.ndarray) -> np.ndarray:
    """(n, k) float64: what the network says of the anatomy where it has learnt to (auxiliary
    heads), else its features, averaged over the photograph."""
    device = next(network.parameters()).device
    found = []
    for start in range(0, len(images), BATCH):
        batch = torch.from_numpy(np.array(images[start : start + BATCH])).to(device)
        with torch.inference_mode(), autocast(device, low=True):
            if network.anatomy:
                values = network(batch).anatomy
            else:
                values = network.features(network.look(batch))
        found.append(values.double().cpu().numpy())
    return np.concatenate(found)


def fitted(
    inputs: np.ndarray, eyes: pd.DataFrame, features: list[str]
) -> Callable[[np.ndarray], np.ndarray]:
    """A ridge regression from inputs (n, k) to the true features of these eyes."""
    middle, scale = inputs.mean(axis=0), np.maximum(inputs.std(axis=0), 1e-9)
    true = eyes[features].to_numpy(float)
    x = (inputs - middle) / scale
    gram = x.T @ x + STRENGTH * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, x.T @ (true - true.mean(axis=0)))
    return lambda other: (other - middle) / scale @ weights + true.mean(axis=0)


def cross_fitted(inputs: np.ndarray, eyes: pd.DataFrame, features: list[str]) -> np.ndarray:
    """(n, features) as read by regressions that were fitted without the person."""
    number = pd.factorize(eyes["patient"])[0] % FOLDS
    read = np.zeros((len(eyes), len(features)))
    for fold in range(FOLDS):
        inside = number == fold
        if inside.any() and not inside.all():
            read[inside] = fitted(inputs[~inside], eyes[~inside], features)(inputs[inside])
    return read
