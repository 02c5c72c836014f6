"""Which of the processes of a training this is: what torchrun tells the processes it starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

GRACE = 5.0  # seconds in which torchrun notices that a process has ended, and ends the others

_is_by_itself = False


def started_together() -> bool:
    """Whether torchrun, or `scistage` as it does, has started this process as one of several."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def processes() -> int:
    """How many train together; 1 outside of a shared training."""
    return int(os.environ["WORLD_SIZE"]) if _shares() else 1


def rank() -> int:
    """Number of this process among them. Process 0 writes what the stage publishes."""
    return int(os.environ["RANK"]) if _shares() else 0


def processes_here() -> int:
    """How many of them run on this machine."""
    return int(os.environ["LOCAL_WORLD_SIZE"]) if _shares() else 1


def rank_here() -> int:
    """Number of this process among all those of this machine, and of the GPU that it uses."""
    return int(os.environ["LOCAL_RANK"]) if started_together() else 0


def _shares() -> bool:
    return started_together() and not _is_by_itself


@contextmanager
def by_itself() -> Iterator[None]:
    """Within, this process trains as if it had been started alone, but on its own GPU."""
    global _is_by_itself  # of all threads, unlike a context variable
    _is_by_itself = True
    try:
        yield
    finally:
        _is_by_itself = False
