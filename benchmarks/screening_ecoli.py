"""`ecoli`: ROC-AUC of the preset and of a forest on random splits, scaffold-balanced by default.

A fifth of the molecules is tested: whole scaffolds, of which none is larger than a quarter of it;
or, `--split random`, any molecules, but all stereoisomers of one. All others are learnt from: each
member of the ensemble has a tenth of its own, split likewise, that chooses its epoch, and the other
members learn that. Finished splits are kept in .work/.
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from screening_data import Known, known, train_params
from screening_ours import forest, members_of, said_of
from screening_records import WORK, Journal, record, settings_of, summary
from side_by_side import table
from sklearn.metrics import average_precision_score, roc_auc_score

from domains.screening.prepare.arrays import read_counts

PRESET = "ecoli"
TESTED, CHECKED = 0.2, 0.1  # of all molecules; of the others, by each member
OURS, ONE, FOREST = "ours", "ours, one member", "random forest"
PUBLISHED = {"roc_auc": 0.896, "source": "Stokes et al. 2020, ensemble of 20, its own splits"}
LEAST, MINUTES = 0.90, 60.0  # mean ROC-AUC; CPU


def run(arguments: argparse.Namespace) -> None:
    """All splits, printed and recorded."""
    quick, kind = arguments.quick, arguments.split
    settings = settings_of(train_params(PRESET, 0, quick))
    part = part_of(kind)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        given = {
            "split": kind,
            "training": settings,
            "tested": TESTED,
            "checked": CHECKED,
            "threads": arguments.threads,
        }
        journal = Journal(folder if quick else WORK, part, **given)
        molecules = known(PRESET, folder / "all", quick)
        rows = [
            journal.of({"seed": seed}, partial(_split, molecules, kind, seed, quick))
            for seed in range(2 if quick else arguments.seeds)
        ]
    found = _summary(rows)
    print(table([{"what": name, **values} for name, values in found["roc_auc"].items()]))
    print(table(found["bars"]))
    if not quick:
        record(part, {**given, "published": PUBLISHED, **found, "rows": rows})


def part_of(kind: str) -> str:
    """Name of the record of one kind of splits."""
    return "ecoli" if kind == "scaffold" else f"ecoli_{kind}"


def _split(molecules: Known, kind: str, seed: int, quick: bool) -> dict[str, Any]:
    """ROC-AUC and average precision of both on the test molecules of one split."""
    tested = molecules.tested(TESTED, seed, kind)
    truth = molecules.table[molecules.target.name]
    counts = read_counts(molecules.folder, "molecules")
    members = np.stack(
        [
            said_of(ensemble, molecules.folder, tested)[0]
            for ensemble in members_of(molecules, PRESET, CHECKED, seed, quick, tested, kind)
        ]
    )
    trees = forest(counts[~tested], truth[~tested], counts[tested], "class", seed)
    asked = truth[tested].to_numpy(int)
    said = {OURS: members.mean(axis=0), ONE: members[0], FOREST: trees}
    return {
        "roc_auc": {name: float(roc_auc_score(asked, one)) for name, one in said.items()},
        "average_precision": {
            name: float(average_precision_score(asked, one)) for name, one in said.items()
        },
        "tested": int(tested.sum()),
        "actives": int(asked.sum()),
    }


def _summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    ratio = TESTED / (1 - TESTED)

    def over(metric: str) -> dict[str, dict[str, float]]:
        values = {name: [row[metric][name] for row in rows] for name in (OURS, ONE, FOREST)}
        both = zip(values[OURS], values[FOREST], strict=True)
        values[f"{OURS} - {FOREST}"] = [ours - theirs for ours, theirs in both]
        return {name: summary(one, ratio) for name, one in values.items()}

    auc, minutes = over("roc_auc"), sum(row["cpu_seconds"] for row in rows) / 60
    bars = [
        {"bar": "mean ROC-AUC", "asked": LEAST, "found": auc[OURS]["mean"]},
        {"bar": "CPU minutes", "asked": MINUTES, "found": minutes},
    ]
    met = auc[OURS]["mean"] >= LEAST, minutes <= MINUTES
    return {
        "roc_auc": auc,
        "average_precision": over("average_precision"),
        "bars": [{**bar, "met": one} for bar, one in zip(bars, met, strict=True)],
    }
