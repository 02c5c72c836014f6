"""`ecoli`: one network of chemprop on the splits that `screening.py ecoli` has recorded.

It learns from the molecules of our first member and chooses its epoch on the same, class-balanced,
30 epochs, all else as its command line comes. Finished splits are kept in .work/.
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from screening_chemprop import by_command_line
from screening_data import EPOCHS, Known, known
from screening_ecoli import CHECKED, FOREST, ONE, OURS, PRESET, TESTED, part_of
from screening_ours import member_key
from screening_records import WORK, Journal, record, summary
from side_by_side import RECORDS, table
from sklearn.metrics import average_precision_score, roc_auc_score

from pipelines.core.artifacts import read_json

CHEMPROP, SETTINGS = "chemprop, one network", {"epochs": 30, "class_balance": True}


def run(arguments: argparse.Namespace) -> None:
    """All splits, printed and recorded."""
    quick, kind = arguments.quick, arguments.split
    ours = read_json(RECORDS / f"screening_{part_of(kind)}.json")["rows"]
    given = {"split": kind, "chemprop": SETTINGS, "tested": TESTED, "threads": arguments.threads}
    part = f"{part_of(kind)}_chemprop"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        journal = Journal(folder if quick else WORK, part, **given)
        molecules = known(PRESET, folder / "all", quick)
        rows = [
            journal.of({"seed": row["seed"]}, partial(_split, molecules, kind, row, quick))
            for row in ours[: 2 if quick else arguments.seeds]
        ]
    found = {name: _compared(ours, rows, name) for name in ("roc_auc", "average_precision")}
    for name, values in found.items():
        print(f"## {name}\n\n{table([{'what': what, **one} for what, one in values.items()])}")
    if not quick:
        record(part, {**given, **found, "rows": rows}, "chemprop")


def _split(molecules: Known, kind: str, ours: dict[str, Any], quick: bool) -> dict[str, Any]:
    """ROC-AUC and average precision of chemprop on the test molecules of our split."""
    seed = ours["seed"]
    tested = molecules.tested(TESTED, seed, kind)
    name = molecules.target.name
    truth = molecules.table.loc[tested, name].to_numpy(int)
    if not quick and (len(truth), truth.sum()) != (ours["tested"], ours["actives"]):
        raise SystemExit(f"seed {seed}: the split is not the recorded one; run ecoli again")
    folder = molecules.folder.parent / f"split{seed}"
    key = member_key(seed, 0)
    split = molecules.split(folder, kind, (1 - CHECKED, CHECKED), key, tested)
    epochs = EPOCHS if quick else int(SETTINGS["epochs"])
    options = ("--task-type", "classification", "--class-balance")
    said = by_command_line(split, name, folder / "chemprop", key, epochs, options)
    return {
        "roc_auc": float(roc_auc_score(truth, said)),
        "average_precision": float(average_precision_score(truth, said)),
    }


def _compared(
    ours: list[dict[str, Any]], rows: list[dict[str, Any]], metric: str
) -> dict[str, dict[str, float]]:
    """chemprop's mean over the splits, and ours less it on the same."""
    ratio = TESTED / (1 - TESTED)
    theirs = [row[metric] for row in rows]
    found = {CHEMPROP: summary(theirs, ratio)}
    for name in (ONE, OURS, FOREST):
        pairs = zip(ours, theirs, strict=False)
        less = [row[metric][name] - other for row, other in pairs]
        found[f"{name} - {CHEMPROP}"] = summary(less, ratio)
    return found
