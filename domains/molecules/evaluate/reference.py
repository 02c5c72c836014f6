"""What is needed of the two test sets, computed once on a machine and kept outside the project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.chemistry.properties import NAMES

from ..prepare.arrays import HELD_OUT, read_smiles
from ..prepare.chemnet import ChemNet, activations
from ..prepare.files import WEIGHTS
from ..prepare.frechet import Gaussian, gaussian
from . import kept
from .distances import count_parts
from .molecules import Molecules, describe


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
        lines = kept.to_text(getattr(self, what)).split("\n")
        counts = getattr(self, f"{what[:-1]}_counts").tolist()
        return dict(zip(lines, counts, strict=True)) if counts else {}


def references(folder: Path, model: ChemNet, device: torch.device) -> dict[str, Reference]:
    """Both test sets of `prepare`'s folder, from the cache as far as it holds them undamaged."""
    paths = {split: _path(folder, split, device) for split in HELD_OUT}
    found = {split: _read(path) for split, path in paths.items()}
    missing = {split: read_smiles(folder, split) for split in HELD_OUT if found[split] is None}
    for split, molecules in describe(missing, parts=("quality", "structure")).items():
        reference = _compute(molecules, model, device)
        kept.write(paths[split], vars(reference))
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
    code = ("evaluate/reference.py", *kept.DESCRIBING)
    return kept.place(folder, (f"{split}.smi", WEIGHTS), device, "reference", code)


def _read(path: Path) -> Reference | None:
    arrays = kept.read(path, [field.name for field in fields(Reference)])
    return None if arrays is None else Reference(**arrays)


def _lines(parts: Sequence[str] | dict[str, int]) -> NDArray[np.uint8]:
    return kept.to_bytes("\n".join(parts))
