"""Molecules for the benchmarks, prepared as the stage does it and split again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from domains.screening.prepare.arrays import Target, read_molecules
from domains.screening.prepare.loading import load
from domains.screening.prepare.params import PrepareParams
from domains.screening.prepare.splitting import assign, groups_of
from domains.screening.prepare.writing import write_data
from domains.screening.train.params import TrainParams
from pipelines.chemistry.kinship import Kinship, kinships
from pipelines.core.artifacts import write_csv
from pipelines.core.params import read_yaml
from pipelines.core.randomness import generator

FEW, EPOCHS = 400, 3  # of a quick run: molecules, and epochs, of which chemprop wants three
_PRESETS = Path(__file__).resolve().parents[1] / "domains" / "screening" / "presets"


@dataclass(frozen=True)
class Known:
    """Measured molecules of one source, in a folder like that of prepare."""

    folder: Path
    table: pd.DataFrame
    target: Target
    kin: list[Kinship]

    def tested(self, share: float, seed: int, kind: str) -> NDArray[np.bool_]:
        """(n,) the molecules of random groups, each at most a quarter of these.

        kind: of groups, as the parameter `prepare.split`.
        """
        groups = groups_of(self.table["smiles"].tolist(), list(self.kin), kind)
        return assign(groups, (1 - share, share / 2, share / 2), seed) != "train"

    def split(
        self,
        out: Path,
        kind: str,
        shares: Sequence[float],
        seed: int,
        tested: NDArray[np.bool_] | None = None,
    ) -> pd.DataFrame:
        """Write a folder with the same molecules split anew; its table.

        kind: as the parameter `prepare.split`; shares: of train, validation and test, or of the
        first two, where none are held out but those that are `tested`, (n,) of all.
        """
        groups = np.array(groups_of(self.table["smiles"].tolist(), list(self.kin), kind))
        given = np.full(len(groups), "test", dtype="<U10")
        if len(shares) == 2:
            learnt, checked = shares
            rest = slice(None) if tested is None else ~tested
            parts = assign(groups[rest], (learnt, checked / 2, checked / 2), seed)
            given[rest] = np.where(parts == "test", "validation", parts)
        else:
            given = assign(groups, shares, seed)
        out.mkdir(parents=True)
        for path in self.folder.iterdir():
            if path.name != "molecules.csv":
                (out / path.name).symlink_to(path.resolve())
        write_csv(out / "molecules.csv", self.table.assign(split=given, group=groups))
        return read_molecules(out)


def known(preset: str, folder: Path, quick: bool) -> Known:
    """The molecules of a preset's source, without the library; few of them if it must be quick."""
    params = PrepareParams(**{**preset_of(preset)["prepare"], "library": "none"}, seed=0)
    loaded = load(params)
    table = loaded.molecules
    if quick:
        table = table.iloc[sorted(generator(0).permutation(len(table))[:FEW])]
    [target] = [Target(**t.model_dump(exclude={"column"})) for t in loaded.targets]
    folder.mkdir(parents=True)
    write_data(folder, table, [target], loaded.library)
    return Known(folder, table, target, kinships(table["smiles"].tolist()))


def preset_of(name: str) -> dict[str, Any]:
    """Its parameters by stage."""
    return dict(read_yaml(_PRESETS / f"{name}.yaml"))


def train_params(preset: str, seed: int, quick: bool, **changes: Any) -> TrainParams:
    """Those of a preset's training, changed where it is said; hardly any if it must be quick."""
    hardly = {"epochs": EPOCHS, "members": min(2, changes.get("members", 2))} if quick else {}
    return TrainParams(**{**preset_of(preset)["train"], **changes, **hardly, "seed": seed})
