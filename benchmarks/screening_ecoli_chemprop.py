"""`ecoli`: one network of chemprop on the splits that `screening.py ecoli` has recorded.

It learns from the molecules of our first member and chooses its epoch on the same, class-balanced,
30 epochs, all else as its command line comes; and once more with RDKit's descriptors beside the
graph, which ours is given too. Finished splits are kept in .work/.
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

EPOCHS_OF_CHEMPROP = 30
OPTIONS = ("--task-type", "classification", "--class-balance")
WAYS = {
    "chemprop": OPTIONS,
    "chemprop with descriptors": (*OPTIONS, "--molecule-featurizers", "rdkit_2d"),
}


def run(arguments: argparse.Namespace) -> None:
    """All splits, printed and recorded."""
    quick, kind = arguments.quick, arguments.split
    ours = read_json(RECORDS / f"screening_{part_of(kind)}.json")["rows"]
    options = {way: " ".join(given) for way, given in WAYS.items()}
    protocol = {"epochs": EPOCHS_OF_CHEMPROP, "options": options}
    given = {"split": kind, "chemprop": protocol, "tested": TESTED, "threads": arguments.threads}
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
    """ROC-AUC and average precision of both ways on the test molecules of our split."""
    seed = ours["seed"]
    tested = molecules.tested(TESTED, seed, kind)
    name = molecules.target.name
    truth = molecules.table.loc[tested, name].to_numpy(int)
    if not quick and (len(truth), truth.sum()) != (ours["tested"], ours["actives"]):
        raise SystemExit(f"seed {seed}: the split is not the recorded one; run ecoli again")
    folder = molecules.folder.parent / f"split{seed}"
    key = member_key(seed, 0)
    split = molecules.split(folder, kind, (1 - CHECKED, CHECKED), key, tested)
    epochs = EPOCHS if quick else EPOCHS_OF_CHEMPROP
    said = {
        way: by_command_line(split, name, folder / way, key, epochs, options)
        for way, options in WAYS.items()
    }
    return {
        "roc_auc": {way: float(roc_auc_score(truth, one)) for way, one in said.items()},
        "average_precision": {
            way: float(average_precision_score(truth, one)) for way, one in said.items()
        },
    }


def _compared(
    ours: list[dict[str, Any]], rows: list[dict[str, Any]], metric: str
) -> dict[str, dict[str, float]]:
    """chemprop's means over the splits, and ours less them on the same."""
    ratio = TESTED / (1 - TESTED)
    found = {way: summary([row[metric][way] for row in rows], ratio) for way in WAYS}
    for way in WAYS:
        for name in (ONE, OURS, FOREST):
            pairs = zip(ours, rows, strict=False)
            less = [mine[metric][name] - theirs[metric][way] for mine, theirs in pairs]
            found[f"{name} - {way}"] = summary(less, ratio)
    return found
