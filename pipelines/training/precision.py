"""Where networks compute and in how many bits: as `SCISTAGE_*` say, else what suits the machine."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch

from pipelines.core.environment import environment
from pipelines.core.errors import UserError
from pipelines.core.processes import rank_here


def trainer_precision(low: bool = False) -> str:
    """As Lightning's Trainer names it.

    bfloat16 (mixed) on a GPU that has it; on a CPU float32, but for a network that is as good in
    bfloat16 (`low`) on a processor that has it, unless results must be the same on those that have
    not.
    """
    settings = environment()
    on_gpu = uses_gpu()
    if settings.precision:
        return settings.precision
    if on_gpu:
        low = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        low = low and not settings.portable and _native_bfloat16()
    return "bf16-mixed" if low else "32-true"


def uses_gpu() -> bool:
    """Whether networks compute on a GPU.

    Raises:
        UserError: one is asked for, and there is none.
    """
    wanted, there = environment().accelerator, torch.cuda.is_available()
    if wanted == "gpu" and not there:
        raise UserError(
            "SCISTAGE_ACCELERATOR: found 'gpu', but PyTorch sees none here; give auto or cpu"
        )
    return wanted != "cpu" and there


def device_name() -> str:
    """What computes: the name of the GPU, or cpu."""
    return torch.cuda.get_device_name() if uses_gpu() else "cpu"


def computing_device() -> torch.device:
    """Where networks compute outside of Lightning's Trainer: on the GPU, if there is one."""
    return torch.device("cuda", rank_here()) if uses_gpu() else torch.device("cpu")


def autocast(device: torch.device, low: bool = False) -> AbstractContextManager[object]:
    """The same precision outside of Lightning's Trainer."""
    mixed = trainer_precision(low).startswith("bf16")
    return torch.autocast(device.type, torch.bfloat16, enabled=mixed)


def _native_bfloat16() -> bool:
    """Whether the CPU multiplies bfloat16 itself; where it is emulated it is slow."""
    has = torch.cpu.get_capabilities()
    return bool(has.get("avx512_bf16") or has.get("amx_bf16"))
