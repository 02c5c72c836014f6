"""What torch must be told, once a process, so that it computes the same again."""

from __future__ import annotations

import warnings
from functools import cache, partial

import numpy as np
import torch
from torch import Tensor

from pipelines.core.environment import environment

# What torch leaves to MKL's vector functions. These go by the processor, whatever MKL is told, and
# round otherwise on each: with the square root, every step of Adam. NumPy's go by none.
BY_PROCESSOR = {
    "sqrt": np.sqrt,
    "log10": np.log10,
    "tan": np.tan,
    "atan": np.arctan,
    "asin": np.arcsin,
    "acos": np.arccos,
}


def prepare_torch() -> None:
    """Fix the number of threads, on which results depend, and allow deterministic kernels only."""
    torch.set_num_threads(environment().threads)
    torch.use_deterministic_algorithms(True)
    # Nothing here reads uninitialised memory: to fill it costs time and changes no result.
    setattr(torch.utils.deterministic, "fill_uninitialized_memory", False)  # noqa: B010
    if environment().portable:
        _compute_by_numpy()


@cache
def _compute_by_numpy() -> torch.library.Library:
    """Put NumPy's functions in the place of MKL's, for as long as what is returned is kept."""
    library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Warning only once")  # of the override
        for name, function in BY_PROCESSOR.items():
            library.impl(name, partial(_computed, function), "CPU")  # type: ignore[no-untyped-call]
    return library


def _computed(function: np.ufunc, values: Tensor) -> Tensor:
    known = values.is_floating_point() or values.is_complex()
    kind = values.dtype if known else torch.get_default_dtype()
    wide = torch.promote_types(kind, torch.float32)  # NumPy has no bfloat16
    with np.errstate(all="ignore"):
        return torch.as_tensor(function(values.detach().to(wide).numpy())).to(kind)
