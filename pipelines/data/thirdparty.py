"""Weights that others publish as pickles: opened here and nowhere else, and only by known hash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.core.errors import UserError
from pipelines.data.sources import sha256_of


def load_torch(path: Path, sha256: str) -> Any:
    """What `torch.save` wrote into a file of this very content: tensors, containers and numbers.

    Raises:
        UserError: the file is another one; then it is not opened.
    """
    digest = sha256_of(path)
    if digest != sha256:
        raise UserError(
            f"{path.name}: wrong hash: SHA-256 {digest}, expected {sha256}; do not use it"
        )
    import torch

    return torch.load(path, map_location="cpu", weights_only=True)
