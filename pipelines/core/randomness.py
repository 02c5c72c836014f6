"""Random draws as pure functions of integers, so that no order of execution can change them."""

from __future__ import annotations

import numpy as np


def generator(*key: int) -> np.random.Generator:
    """A generator that depends on `key` alone, such as (seed, epoch, index)."""
    # NumPy takes (1, 2) and (1, 2, 0) for the same entropy: the length tells them apart.
    return np.random.default_rng(np.random.SeedSequence((*key, len(key))))


def seed_everything(*key: int) -> None:
    """Seed the global generators of Python, NumPy and torch from `key`."""
    import random

    import torch

    state = int(np.random.SeedSequence(key).generate_state(1, np.uint32)[0])
    random.seed(state)
    np.random.seed(state)
    torch.manual_seed(state)
