"""Tables of written molecules: what each is, and whether and how nearly it has been learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rdkit import Chem

from pipelines.chemistry.fingerprints import packed, stacked
from pipelines.chemistry.nearest import neighbours
from pipelines.chemistry.properties import NONE, Properties, properties
from pipelines.core.parallel import in_parallel
from pipelines.training.precision import computing_device

from ..train.chemistry import parse
from .writing import bar

BITS = 1024  # Morgan, radius 2, folded, as MOSES has it


class Row(NamedTuple):
    """canonical: SMILES, "" if invalid; bits: the packed fingerprint; properties: of properties."""

    canonical: str
    bits: bytes
    properties: Properties


_INVALID = Row("", bytes(BITS // 8), NONE)


def plain(smiles: list[str]) -> pd.DataFrame:
    """smiles, valid."""
    return pd.DataFrame({"smiles": smiles, "valid": list(in_parallel(_valid, smiles))})


def describe(smiles: list[str], known: set[str]) -> tuple[pd.DataFrame, NDArray[np.uint8]]:
    """What is written, and the packed fingerprints (n, 128) uint8, 0 for the invalid.

    smiles: as written; canonical: RDKit's, "" if invalid; valid; duplicate: of a row above;
    in_train: whether it is known; qed, sa, logp, weight (Da): NaN if invalid.

    Args:
        smiles: n texts.
        known: canonical SMILES of the training molecules.
    """
    with bar(len(smiles), "describing") as progress:
        rows = []
        for row in in_parallel(_rows, smiles):
            rows.append(row)
            progress.update()
    canonical = pd.Series([row.canonical for row in rows], dtype=str)
    valid = canonical != ""
    table = pd.DataFrame({"smiles": smiles, "canonical": canonical, "valid": valid})
    table["duplicate"] = canonical.duplicated() & valid
    table["in_train"] = canonical.isin(known)
    for name in ("qed", "sa", "logp", "weight"):
        table[name] = [getattr(row.properties, name) for row in rows]
    return table, stacked([row.bits for row in rows], BITS)


def with_nearest(
    table: pd.DataFrame, bits: NDArray[np.uint8], known: Sequence[str]
) -> pd.DataFrame:
    """The table with two more columns: nearest, the SMILES of the training molecule most like it,
    and similarity, the Tanimoto coefficient of their fingerprints.

    Of training molecules that are equally near it is the one with the fewest bits set, then the
    first; but a molecule that is known is the nearest to itself.
    """
    near = pd.Series(table["canonical"].where(table["in_train"], ""), dtype=str)
    similarity = table["in_train"].map({True: 1.0, False: nan})
    new = np.flatnonzero(table["valid"] & ~table["in_train"])
    if len(new):
        theirs = fingerprints(known)
        found, which = neighbours(bits[new], theirs, computing_device())
        near.iloc[new] = [known[k] for k in which.tolist()]
        similarity.iloc[new] = found
    return table.assign(nearest=near, similarity=similarity)


def fingerprints(smiles: Sequence[str]) -> NDArray[np.uint8]:
    """(n, 128) packed bits of n SMILES, 0 for the invalid."""
    with bar(len(smiles), "comparing") as progress:
        found = []
        for bits in in_parallel(_bits_of_some, smiles):
            found.append(bits)
            progress.update()
    return stacked(found, BITS)


def tanimoto(bits: NDArray[np.uint8], one: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(n,) similarity of packed fingerprints (n, bytes) to one (1, bytes), which is not empty."""
    common = np.bitwise_count(bits & one).sum(axis=1, dtype=np.int64)
    return common / np.bitwise_count(bits | one).sum(axis=1, dtype=np.int64)


def _valid(smiles: Sequence[str]) -> list[bool]:
    return [mol is not None for mol in parse(smiles)]


def _rows(smiles: Sequence[str]) -> list[Row]:
    return [
        _INVALID if mol is None else Row(Chem.MolToSmiles(mol), packed(mol, BITS), properties(mol))
        for mol in parse(smiles)
    ]


def _bits_of_some(smiles: Sequence[str]) -> list[bytes]:
    return [_INVALID.bits if mol is None else packed(mol, BITS) for mol in parse(smiles)]
