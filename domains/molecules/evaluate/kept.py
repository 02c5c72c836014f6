"""Arrays that depend on prepared data and code alone, kept outside the project once computed."""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import rdkit
import torch
from numpy.typing import NDArray

from pipelines.core.environment import environment

Arrays = dict[str, NDArray[Any]]


DOMAIN = Path(__file__).parents[1]
CHEMISTRY = "../../pipelines/chemistry"
DESCRIBING = (  # the code that measures molecules
    "evaluate/distances.py",
    "evaluate/filters.py",
    "evaluate/molecules.py",
    "prepare/chemnet.py",
    "prepare/frechet.py",
    f"{CHEMISTRY}/fingerprints.py",
    f"{CHEMISTRY}/properties.py",
)
SCORING = (
    *DESCRIBING,
    "evaluate/combine.py",
    "evaluate/drawn.py",
    "evaluate/intervals.py",
    "evaluate/kl.py",
    "evaluate/ngram.py",
    "evaluate/reference.py",
    "evaluate/scores.py",
    "evaluate/standing.py",
    f"{CHEMISTRY}/nearest.py",
)


def place(
    folder: Path,
    names: Collection[str],
    device: torch.device,
    key: object,
    code: Collection[str],
) -> Path:
    """Where in the cache, by a hash of all that the arrays depend on.

    Args:
        folder: of `prepare`.
        names: files in it.
        device: that computes.
        key: all else that matters.
        code: files that compute them, counted from this domain.
    """
    digest = hashlib.sha256()
    for path in (*(folder / name for name in names), *(DOMAIN / name for name in code)):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    threads = environment().threads
    digest.update(f"{key} {rdkit.__version__} {device.type} {threads}".encode())
    return environment().cache / "molecules" / f"{digest.hexdigest()}.npz"


def read(path: Path, names: Collection[str]) -> Arrays | None:
    """The arrays of these names; None where there is no such file, or not a whole one."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names}
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error):
        return None


def write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a file as a whole: a kill leaves no half of it. What cannot be kept is done without."""
    part = path.with_suffix(f".{os.getpid()}.part")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as stream:
            np.savez(stream, **arrays)
        part.replace(path)


def to_bytes(text: str) -> NDArray[np.uint8]:
    """Text as an array."""
    return np.frombuffer(text.encode(), dtype=np.uint8)


def to_text(array: NDArray[np.uint8]) -> str:
    """The text of such an array."""
    return array.tobytes().decode()
