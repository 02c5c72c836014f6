"""Errors of the presets for values, on random splits: ours, chemprop as it comes, a forest.

Every split keeps stereoisomers together; all learn from the same molecules, and choose the epoch
on the same. Finished splits are kept in .work/.
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from screening_chemprop import by_command_line
from screening_data import EPOCHS, Known, known, train_params
from screening_ours import ensemble_of, forest_of, said_of
from screening_records import WORK, Journal, record, settings_of, summary
from side_by_side import table

PRESETS = ("solubility", "freesolv")
SHARES = (0.8, 0.1, 0.1)
OURS, ONE, CHEMPROP, FOREST = "ours", "ours, one member", "chemprop", "random forest"
SIDES = (OURS, ONE, CHEMPROP, FOREST)


def run(arguments: argparse.Namespace) -> None:
    """All splits of both, printed and recorded."""
    quick = arguments.quick
    seeds = range(2 if quick else arguments.seeds)
    content: dict[str, Any] = {"shares": list(SHARES), "threads": arguments.threads}
    for preset in PRESETS:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            settings = settings_of(train_params(preset, 0, quick))
            given = {"training": settings, "threads": arguments.threads}
            journal = Journal(folder if quick else WORK, f"errors_{preset}", **given)
            molecules = known(preset, folder / "all", quick)
            rows = [
                journal.of({"seed": seed}, partial(_split, molecules, preset, seed, quick))
                for seed in seeds
            ]
        content[preset] = {"training": settings, "rows": rows, **_compared(rows)}
        print(f"## {preset}, RMSE in {molecules.target.unit}\n\n{_tables(content[preset])}")
    if not quick:
        record("errors", content, "chemprop")


def _split(molecules: Known, preset: str, seed: int, quick: bool) -> dict[str, Any]:
    """RMSE of all sides on the test molecules of one split."""
    folder = molecules.folder.parent / f"split{seed}"
    split = molecules.split(folder, "random", SHARES, seed)
    tested = (split["split"] == "test").to_numpy()
    target = molecules.target
    truth = split.loc[tested, target.name].to_numpy(float)
    ensemble = ensemble_of(train_params(preset, seed, quick), folder, folder / "train")
    members = said_of(ensemble, folder, tested)
    epochs = EPOCHS if quick else None
    said = {
        OURS: members.mean(axis=0),
        ONE: members[0],
        CHEMPROP: by_command_line(split, target.name, folder / "chemprop", seed, epochs),
        FOREST: forest_of(folder, split, target, seed),
    }
    return {
        **{name: float(np.sqrt(np.mean((one - truth) ** 2))) for name, one in said.items()},
        "tested": int(tested.sum()),
    }


def _compared(rows: list[dict[str, Any]]) -> dict[str, Any]:
    ratio = SHARES[2] / SHARES[0]
    means = {name: summary([row[name] for row in rows], ratio) for name in SIDES}
    others = {
        f"{ours} - {theirs}": summary([row[ours] - row[theirs] for row in rows], ratio)
        for ours in (OURS, ONE)
        for theirs in (CHEMPROP, FOREST)
    }
    met = {name: others[f"{name} - {CHEMPROP}"]["mean"] < 0 for name in (OURS, ONE)}
    return {"rmse": means, "differences": others, "below_chemprop": met}


def _tables(found: dict[str, Any]) -> str:
    parts = {**found["rmse"], **found["differences"]}
    return table([{"what": name, **values} for name, values in parts.items()])
