"""Weights of all fits in one safetensors file, under `<fit>/<name>`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from pipelines.core.errors import UserError


def write_weights(path: Path, fits: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Write the state of each fit; the same tensors give the same bytes."""
    tensors = {
        f"{fit}/{name}": tensor.detach().cpu().contiguous().clone()
        for fit, state in sorted(fits.items())
        for name, tensor in sorted(state.items())
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(save(tensors))  # save_file would make a file that only its owner may read


def read_weights(path: Path, fit: str) -> dict[str, Tensor]:
    """The state of one fit, on the CPU.

    Raises:
        UserError: the file is missing or damaged, or has no such fit.
    """
    try:
        with safe_open(path, framework="pt") as file:
            names = [name for name in file.keys() if name.startswith(f"{fit}/")]  # noqa: SIM118
            state = {name.removeprefix(f"{fit}/"): file.get_tensor(name) for name in names}
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run the train stage first") from None
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: not a safetensors file ({error}); train again") from None
    if not state:
        raise UserError(f"{path}: holds no fit {fit!r}; train again")
    return state
