"""What torch must be told, once a process, so that it computes the same again."""

from __future__ import annotations

import torch

from pipelines.core.environment import environment


def prepare_torch() -> None:
    """Fix the number of threads, on which results depend, and allow deterministic kernels only."""
    torch.set_num_threads(environment().threads)
    torch.use_deterministic_algorithms(True)
    # Nothing here reads uninitialised memory: to fill it costs time and changes no result.
    setattr(torch.utils.deterministic, "fill_uninitialized_memory", False)  # noqa: B010
