"""`scistage doctor`: what this machine gives the stages."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys

from pipelines.core.environment import environment, prepare_process
from pipelines.core.project import CONSTRAINTS

SHOWN = (
    "torch",
    "pytorch-lightning",
    "torch-geometric",
    "rdkit",
    "scikit-image",
    "scikit-learn",
    "albumentations",
    "numpy",
    "dvc",
)


def doctor() -> int:
    """Print versions against their pins, accelerator, threads and paths; 1 if a pin is broken."""
    prepare_process()
    pins = dict(
        line.split("==") for line in CONSTRAINTS.read_text(encoding="utf-8").split() if "==" in line
    )
    wrong = []
    print(f"python {platform.python_version()}  {sys.executable}")
    for name in sorted({*pins, *SHOWN}):
        found, pin = _version(name), pins.get(name)
        matches = pin is None or (found is not None and found.split("+")[0] == pin)
        if not matches:
            wrong.append(name)
        if name in SHOWN or not matches:
            print(f"{name:20} {found or 'missing':16} {'' if matches else f'pinned: {pin}'}")
    _print_machine()
    if wrong:
        print(f"{len(wrong)} packages are not as pinned: run `make setup`")
    return 1 if wrong else 0


def _print_machine() -> None:
    import torch

    settings = environment()
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    print(f"{'accelerator':20} {settings.accelerator}: {', '.join(gpus) or 'no GPU, CPU is used'}")
    print(f"{'instructions':20} {torch.backends.cpu.get_cpu_capability()}")
    for name, value in vars(settings).items():
        if name != "accelerator":
            print(f"{name:20} {'default' if value is None else value}")
    free = shutil.disk_usage(".").free / 2**30
    print(f"{'free disk':20} {free:.0f} GiB")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
