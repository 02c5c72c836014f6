"""The sets of molecules that are compared: learnt from, held out, written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.chemistry.fingerprints import packed, stacked
from pipelines.core.artifacts import read_csv
from pipelines.core.parallel import in_parallel
from pipelines.core.randomness import generator
from pipelines.core.runner import Inputs

from ..evaluate.molecules import scaffold
from ..predict.files import GENERATED, LIKELIHOOD
from ..prepare.arrays import HELD_OUT, read_smiles
from ..train.chemistry import parse

BITS = 1024  # Morgan, radius 2, as `predict` compares molecules
_TEXTS = ("smiles", "canonical", "nearest")


@dataclass(frozen=True)
class Molecules:
    """n valid molecules.

    smiles; bits: (n, 128) uint8, packed fingerprints; scaffolds: SMILES of the Bemis-Murcko
    scaffold, "" where it has fewer than two rings.
    """

    smiles: list[str]
    bits: NDArray[np.uint8]
    scaffolds: list[str]

    def __len__(self) -> int:
        return len(self.smiles)

    def __getitem__(self, chosen: slice | NDArray[np.integer]) -> Molecules:
        which = np.arange(len(self))[chosen]
        return Molecules(
            [self.smiles[k] for k in which],
            self.bits[which],
            [self.scaffolds[k] for k in which],
        )


@dataclass(frozen=True)
class Sets:
    """What there is to compare.

    draws, before: all that was drawn, of the model and of its likelihood fit (None without one);
    known: the training molecules; train, test, test_scaffolds, generated: at most so many of each,
    by chance, of `generated` the first valid draws, duplicates among them; any may be empty.
    """

    draws: pd.DataFrame
    before: pd.DataFrame | None
    known: Molecules
    train: Molecules
    test: Molecules
    test_scaffolds: Molecules
    generated: Molecules

    @property
    def held_out(self) -> dict[str, Molecules]:
        """Those test sets that have molecules, by name."""
        named = {"test": self.test, "test, new scaffolds": self.test_scaffolds}
        return {name: found for name, found in named.items() if len(found)}


def read_sets(inputs: Inputs, count: int, seed: int) -> Sets:
    """Read and look at all sets; `count`: the most molecules of each but of `known`."""
    draws = _read_draws(inputs.predict / GENERATED)
    path = inputs.predict / LIKELIHOOD
    written = draws.loc[draws["valid"], "canonical"].tolist()[:count]
    known = look_at(read_smiles(inputs.prepare, "train"))
    tests = [
        look_at(chosen(read_smiles(inputs.prepare, split), count, seed, k))
        for k, split in enumerate(HELD_OUT, start=1)
    ]
    some = generator(seed, 0).permutation(len(known))[:count]
    before = _read_draws(path) if path.is_file() else None
    return Sets(draws, before, known, known[some], *tests, look_at(written))


def chosen(smiles: Sequence[str], count: int, *key: int) -> list[str]:
    """So many of some molecules by chance, or all in another order."""
    order = generator(*key).permutation(len(smiles))[:count]
    return [smiles[k] for k in order.tolist()]


def look_at(smiles: Sequence[str]) -> Molecules:
    """The valid ones of some SMILES."""
    rows = list(in_parallel(_rows, smiles))
    kept = [(text, *row) for text, row in zip(smiles, rows, strict=True) if row is not None]
    texts, bits, scaffolds = (list(column) for column in zip(*kept, strict=True)) if kept else _NONE
    return Molecules(texts, stacked(bits, BITS), scaffolds)


_NONE: tuple[list[str], list[bytes], list[str]] = ([], [], [])


def _rows(smiles: Sequence[str]) -> list[tuple[bytes, str] | None]:
    return [None if mol is None else (packed(mol, BITS), scaffold(mol)) for mol in parse(smiles)]


def _read_draws(path: Path) -> pd.DataFrame:
    table = read_csv(path, text=_TEXTS)
    return table.assign(smiles=table["smiles"].fillna(""), valid=table["valid"].astype(bool))
