"""What is needed of the two test sets, computed once on a machine and kept outside the project."""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import rdkit
import torch
from numpy.typing import NDArray

from pipelines.core.environment import environment

from ..prepare.arrays import HELD_OUT, read_smiles
from ..prepare.chemnet import ChemNet, activations
from ..prepare.files import WEIGHTS
from ..prepare.frechet import Gaussian, gaussian
from ..train.properties import NAMES
from .distances import count_parts
from .molecules import Molecules, describe

VERSION = 1  # of what is computed here: to be raised with every change of it


@dataclass(frozen=True)
class Reference:
    """A test set of n molecules.

    mean (512,), covariance (512, 512), bits (n, 128) uint8, properties (n, 4); fragments and
    scaffolds as lines of UTF-8, with their counts.
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    bits: NDArray[np.uint8]
    properties: NDArray[np.float64]
    fragments: NDArray[np.uint8]
    fragment_counts: NDArray[np.int64]
    scaffolds: NDArray[np.uint8]
    scaffold_counts: NDArray[np.int64]

    @property
    def gaussian(self) -> Gaussian:
        """Of ChemNet's activations."""
        return Gaussian(self.mean, self.covariance, len(self.bits))

    def column(self, name: str) -> NDArray[np.float64]:
        """One of qed, logp, weight, sa."""
        return self.properties[:, NAMES.index(name)]

    def counted(self, what: str) -> dict[str, int]:
        """Counts of `fragments` or of `scaffolds`."""
        lines = getattr(self, what).tobytes().decode().split("\n")
        counts = getattr(self, f"{what[:-1]}_counts").tolist()
        return dict(zip(lines, counts, strict=True)) if counts else {}


def references(folder: Path, model: ChemNet, device: torch.device) -> dict[str, Reference]:
    """Both test sets of `prepare`'s folder, from the cache as far as it holds them undamaged."""
    paths = {split: _path(folder, split, device) for split in HELD_OUT}
    found = {split: _read(path) for split, path in paths.items()}
    missing = {split: read_smiles(folder, split) for split in HELD_OUT if found[split] is None}
    for split, molecules in describe(missing, parts=("quality", "structure")).items():
        reference = _compute(molecules, model, device)
        _write(paths[split], reference)
        found[split] = reference
    return {split: reference for split, reference in found.items() if reference is not None}


def _compute(molecules: Molecules, model: ChemNet, device: torch.device) -> Reference:
    cloud = gaussian(activations(model, molecules.canonical, device))
    fragments = count_parts(molecules.fragments)
    scaffolds = count_parts(molecules.scaffold)
    return Reference(
        mean=cloud.mean,
        covariance=cloud.covariance,
        bits=molecules.folded,
        properties=molecules.properties,
        fragments=_lines(fragments),
        fragment_counts=np.array(list(fragments.values()), dtype=np.int64),
        scaffolds=_lines(scaffolds),
        scaffold_counts=np.array(list(scaffolds.values()), dtype=np.int64),
    )


def _path(folder: Path, split: str, device: torch.device) -> Path:
    """In the cache, by a hash of everything that the statistics depend on."""
    digest = hashlib.sha256()
    for name in (f"{split}.smi", WEIGHTS):
        digest.update(hashlib.sha256((folder / name).read_bytes()).digest())
    threads = environment().threads
    digest.update(f"{VERSION} {rdkit.__version__} {device.type} {threads}".encode())
    return environment().cache / "molecules" / f"{digest.hexdigest()}.npz"


def _read(path: Path) -> Reference | None:
    """None where there is no such file, or not a whole one."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Reference(**{field.name: arrays[field.name] for field in fields(Reference)})
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error):
        return None


def _write(path: Path, reference: Reference) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as stream:
        np.savez(stream, **vars(reference))
    part.replace(path)


def _lines(parts: Sequence[str] | dict[str, int]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(parts).encode(), dtype=np.uint8)
