"""What is kept of one step for the next ones: memory, and kernels."""

from __future__ import annotations

import ctypes
import os

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's malloc.h


def keep_memory() -> None:
    """Let the allocator keep what is freed, instead of asking the system for it at each step.

    Arrays above 32 MiB are otherwise returned at once, and fresh pages have to be cleared: 7 to
    25 % of a training step on a CPU. Does nothing where the C library is not glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, -1)


def keep_few_kernels() -> None:
    """Where shapes hardly recur, as those of graphs in batches, have kernels for few of them kept.

    PyTorch keeps those of each operation, oneDNN those of all: 1024 if they are not told, which are
    of no use then and grow to 0.7 GB. To be called before either is needed.
    """
    for name in ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"):
        os.environ.setdefault(name, "16")
