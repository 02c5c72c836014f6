"""Which molecules are learnt from and which are held out, in whole groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.chemistry.fingerprints import packed, stacked
from pipelines.chemistry.kinship import Kinship
from pipelines.core.errors import UserError
from pipelines.core.randomness import generator

from .arrays import SPLITS
from .clusters import butina
from .featurise import COUNTS, parsed
from .params import TargetColumn

FEWEST = 2  # of a class, or different values, in each split


def groups_of(smiles: Sequence[str], kin: Sequence[Kinship], split: str) -> list[str]:
    """What each molecule must stay together with: its scaffold, cluster, or stereoisomers.

    Groups with forms of the same molecule, which may have different scaffolds, are one.
    """
    if split == "cluster":
        bits = stacked([packed(mol, COUNTS) for mol in parsed(smiles)], COUNTS)
        groups = [f"cluster {number}" for number in butina(bits)]
    elif split == "scaffold":
        groups = [one.scaffold or one.flat for one in kin]
    else:
        groups = [one.flat for one in kin]
    return _united(groups, [one.skeleton for one in kin])


def _united(groups: Sequence[str], skeletons: Sequence[str]) -> list[str]:
    """The groups, under the name that is first in the alphabet of those that share a skeleton."""
    under = {group: group for group in groups}

    def root(group: str) -> str:
        while under[group] != group:
            group = under[group]
        return group

    first: dict[str, str] = {}
    for group, skeleton in zip(groups, skeletons, strict=True):
        names = root(group), root(first.setdefault(skeleton, group))
        under[max(names)] = min(names)
    return [root(group) for group in groups]


def assign(groups: Sequence[str], shares: Sequence[float], seed: int) -> NDArray[np.str_]:
    """(n,) split of each molecule.

    Groups larger than half of a held-out split are learnt from, as otherwise one of them would be
    most of that split (Yang et al. 2019). The others are shuffled and fill the test, then the
    validation, as long as they fit.
    """
    names, members = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    sizes = np.bincount(members)
    room = {SPLITS[k]: max(1, round(shares[k] / sum(shares) * len(groups))) for k in (2, 1)}
    small = sizes <= max(1, min(room.values()) // 2)
    given = np.full(len(names), SPLITS[0], dtype="<U10")
    for k in generator(seed).permutation(len(names)):
        split = next((name for name, left in room.items() if sizes[k] <= left), None)
        if small[k] and split:
            given[k] = split
            room[split] -= sizes[k]
    return given[members]


def require_enough(table: pd.DataFrame, targets: Sequence[TargetColumn]) -> None:
    """UserError unless every split has both classes, or different values, of every target."""
    for split in SPLITS:
        part = table[table["split"] == split]
        for target in targets:
            counts = part[target.name].value_counts()
            if target.kind == "class":
                found, what = counts.reindex([0.0, 1.0], fill_value=0).min(), "of the rarer class"
            else:
                found, what = len(counts), "with different values"
            if found < FEWEST:
                raise UserError(
                    f"{split}: found {found} molecule(s) {what} of target {target.name}, at least "
                    f"{FEWEST} are needed; enlarge its part of prepare.shares, change prepare.seed "
                    "or prepare.split, or give more data"
                )
