"""Probabilities made as sure as they are right: temperature scaling."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from ..prepare.arrays import Format

LEAST = 1e-7  # keeps the logarithm of what was rounded to 0
MOST_PIXELS = 500_000  # enough for one number
LOG_BOUNDS = (-3.0, 3.0)


def tempered(probability: np.ndarray, temperature: float) -> np.ndarray:
    """softmax(log p / T) over the first axis, the classes (Guo et al. 2017, arXiv 1706.04599).

    probability: (K, …); T above 1 makes it less sure, T of 1 leaves it, the most probable class
    stays. Returns (K, …) float32.
    """
    logits = np.log(np.clip(probability.astype(np.float32), LEAST, 1)) / temperature
    powers = np.exp(logits - logits.max(axis=0))
    return powers / powers.sum(axis=0)


def temperature(maps: Sequence[np.ndarray], masks: Sequence[np.ndarray], form: Format) -> float:
    """The temperature of the least mean −log p of the annotated pixels' true class.

    Give it validation samples. maps: (K, H, W) each, taken as `two_sided`; masks: (H, W) each, -1
    ignored. Above 1 for a model that is surer than it is right. 1 if nothing is annotated.
    """
    found, true = [], []
    for probability, mask in zip(maps, masks, strict=True):
        known = mask >= 0
        found.append(two_sided(probability, form)[:, known])
        true.append((mask if form.labels == "classes" else mask > 0)[known].astype(int))
    every = slice(None, None, max(1, -(-sum(map(len, true)) // MOST_PIXELS)))
    classes = np.concatenate(true)[every]
    if not len(classes):
        return 1.0
    logits = np.log(np.clip(np.concatenate(found, axis=1)[:, every].astype(float), LEAST, 1))
    of_truth = logits[classes, np.arange(len(classes))]

    def loss(log_temperature: float) -> float:
        scale = np.exp(-log_temperature)
        return float(np.mean(logsumexp(scale * logits, axis=0) - scale * of_truth))

    return float(np.exp(minimize_scalar(loss, bounds=LOG_BOUNDS, method="bounded").x))


def two_sided(probability: np.ndarray, form: Format) -> np.ndarray:
    """(K, …) probabilities as those of the answers that are judged: background and foreground
    (2, …), or each class if the masks are classes."""
    if form.labels == "classes":
        return probability
    return np.stack([probability[0], 1 - probability[0]])
