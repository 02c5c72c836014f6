"""A pretended accelerator: its tensors compute on the CPU, but mix with no other as a GPU's do not.

Run in a project, `python -m tests.accelerator DOMAIN STAGE …` runs these stages on it. It computes
in float32: what it cannot show are a GPU's own kernels, its precision and its speed.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import torch
from pytorch_lightning.accelerators import CPUAccelerator
from pytorch_lightning.strategies import SingleDeviceStrategy
from torch import Tensor
from torch.nn.modules import rnn
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.backend_registration import (
    _DummyBackendModule,
    _setup_privateuseone_for_python_backend,
)

from pipelines.core.runner import run_stage
from pipelines.training import precision

NAME = "pretended"
# Operators that take tensors of several devices on a GPU too.
BETWEEN = ("aten::copy_", "aten::_to_copy")
SELECTING = ("aten::index", "aten::index_put_", "aten::_index_put_impl_")  # by the second


class Backend(_DummyBackendModule):
    """What torch asks the module of a backend."""

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        """Asked even where autocast is not enabled."""
        return [torch.bfloat16]


_setup_privateuseone_for_python_backend(NAME, Backend())
DEVICE = torch.device(NAME, 0)


class There(Tensor):
    """A tensor on the accelerator; `held` holds its numbers."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> There:
        """Of the same shape and layout."""
        made = Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=DEVICE,
        )
        made.held = held
        return made

    def __tensor_flatten__(self) -> tuple[list[str], None]:
        """By which `Module.to` knows that it must exchange parameters, not their storage."""
        return ["held"], None

    @staticmethod
    def __tensor_unflatten__(held: dict[str, Tensor], *_: Any) -> There:
        """The reverse."""
        return There(held["held"])

    def __reduce_ex__(self, protocol: Any) -> Any:
        """As checkpoints hold it."""
        return self.held.__reduce_ex__(protocol)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        copied: Tensor = There(self.held.clone())
        if isinstance(self, torch.nn.Parameter):
            copied = torch.nn.Parameter(copied, self.requires_grad)
        return memo.setdefault(id(self), copied)

    @classmethod
    def __torch_dispatch__(
        cls, operator: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Also where the mode is not on, as in another thread."""
        with Pretence():
            return operator(*args, **(kwargs or {}))


class Pretence(TorchDispatchMode):
    """While it is on, what is made or moved there is `There`."""

    computed = 0  # by operators there

    def __torch_dispatch__(
        self, operator: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Compute on the CPU; raise where a GPU would."""
        kwargs = dict(kwargs or {})
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        there = any(isinstance(tensor, There) for tensor in given)
        wanted = kwargs.get("device")
        if wanted is not None:
            kwargs["device"] = torch.device("cpu")
        elif there:
            _require_together(operator, given)
        args_here, kwargs_here = tree_map(_held, (args, kwargs))
        found = operator(*args_here, **kwargs_here)
        if operator._schema.name == "aten::copy_":
            return args[0]
        if wanted is not None and given and found is _held(given[0]):
            found = found.clone()
        if (torch.device(wanted) != DEVICE) if wanted is not None else not there:
            return found
        Pretence.computed += there
        found = tree_map(lambda leaf: There(leaf) if isinstance(leaf, Tensor) else leaf, found)
        return return_and_correct_aliasing(operator, args, kwargs, found) if there else found


def _held(leaf: Any) -> Any:
    return leaf.held if isinstance(leaf, There) else leaf


def _require_together(operator: Any, given: list[Tensor]) -> None:
    """Single numbers may be anywhere, and what selects items."""
    name = operator._schema.name
    if name in BETWEEN:
        return
    if name in SELECTING:
        given = [tensor for tensor in given if tensor.dtype not in (torch.int64, torch.bool)]
    if any(not isinstance(tensor, There) and tensor.ndim for tensor in given):
        raise RuntimeError(f"{operator}: tensors on {DEVICE} and on the CPU")


def _recurrent(plain: Any) -> Any:
    """A recurrent network by the CPU's kernels: only where there is a GPU torch has its own."""

    def run(x: Tensor, state: Any, weights: list[Tensor], *how: Any) -> Any:
        moved = tree_map(lambda leaf: leaf.to("cpu"), (x, state, weights))
        return tree_map(lambda leaf: leaf.to(x.device), plain(*moved, *how))

    return run


class _Functions:
    gru, lstm = staticmethod(_recurrent(torch._VF.gru)), staticmethod(_recurrent(torch._VF.lstm))


def _made(make: Any) -> Any:
    """`torch.tensor` and the like, which make and move below what a mode sees."""

    def made(*args: Any, device: Any = None, **kwargs: Any) -> Tensor:
        found = make(*args, **kwargs)
        return found if device is None else found.to(device)

    return made


def pretend() -> Pretence:
    """Have this process compute on the accelerator as soon as the mode is on."""
    os.environ["SCISTAGE_PRECISION"] = "32-true"  # torch has no autocast for it
    precision.computing_device = lambda: DEVICE
    CPUAccelerator.setup_device = lambda self, device: None
    SingleDeviceStrategy.root_device = property(lambda self: DEVICE)
    rnn._VF = _Functions
    torch.tensor, torch.as_tensor = _made(torch.tensor), _made(torch.as_tensor)
    return Pretence()


def main() -> None:
    """Run the stages, each of which has to use the accelerator."""
    domain, *stages = sys.argv[1:]
    pretence = pretend()
    for stage in stages:
        Pretence.computed = 0
        with pretence:
            run_stage(stage, domain)
        assert Pretence.computed > 100, f"{stage} of {domain} did not compute there"


if __name__ == "__main__":
    main()
