"""What torch must be told, once a process, so that it computes the same again."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache, partial

import numpy as np
import torch
from torch import Tensor

from pipelines.core.environment import environment

# Functions that torch leaves to MKL, and MKL computes from the processor's own estimates of 1/x and
# 1/sqrt(x), whatever code path it is told to take. These estimates are each maker's own, and so is,
# with the square root, every step of Adam. NumPy's functions are the same on all.
BY_PROCESSOR = {
    "sqrt": np.sqrt,
    "log": np.log,
    "log2": np.log2,
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
    torch.backends.cudnn.allow_tf32 = environment().precision != "32-true"
    if environment().portable:
        _compute_by_numpy()


@cache
def _compute_by_numpy() -> torch.library.Library:
    """Put NumPy's functions in the place of MKL's, for as long as what is returned is kept."""
    library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Warning only once")  # of the override
        for name, function in BY_PROCESSOR.items():
            for overload, way in WAYS.items():
                library.impl(name + overload, partial(way, function), "CPU")  # type: ignore[no-untyped-call]
    return library


def _computed(function: np.ufunc, values: Tensor) -> Tensor:
    known = values.is_floating_point() or values.is_complex()
    kind = values.dtype if known else torch.get_default_dtype()
    wide = torch.promote_types(kind, torch.float32)  # NumPy has no bfloat16
    with np.errstate(all="ignore"):
        return torch.as_tensor(function(values.detach().to(wide).numpy())).to(kind)


def _computed_in_place(function: np.ufunc, values: Tensor) -> Tensor:
    return values.copy_(_computed(function, values))


def _computed_into(function: np.ufunc, values: Tensor, *, out: Tensor) -> Tensor:
    found = _computed(function, values)
    return out.resize_(found.shape).copy_(found)


WAYS: dict[str, Callable[..., Tensor]] = {
    "": _computed,
    "_": _computed_in_place,
    ".out": _computed_into,
}
