"""What all of pytest-xdist's processes share, built by whichever comes first."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def built_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], object]) -> Path:
    """A path of this name, which is read only after `build` has made what is there."""
    base = factory.getbasetemp()
    path = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    done = path.parent / f"{name}.done"
    with FileLock(f"{path}.lock"):
        if not done.exists():
            build(path)
            done.touch()
    return path
