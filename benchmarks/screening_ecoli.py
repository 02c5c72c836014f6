"""`ecoli`: ROC-AUC of the preset and of a forest on random scaffold-balanced splits.

A fifth of the molecules is tested, and an eighth of the others chooses the epoch: whole scaffolds,
of which none is larger than half of the smaller held-out part. Finished splits are kept in .work/.
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from screening_data import Known, known, train_params
from screening_ours import ensemble_of, forest_of, said_of
from screening_records import WORK, Journal, record, settings_of, summary
from side_by_side import table
from sklearn.metrics import average_precision_score, roc_auc_score

PRESET = "ecoli"
KIND, SHARES = "scaffold", (0.7, 0.1, 0.2)
OURS, ONE, FOREST = "ours", "ours, one member", "random forest"
PUBLISHED = {"roc_auc": 0.896, "source": "Stokes et al. 2020, ensemble of 20, its own splits"}
LEAST, MINUTES = 0.90, 60.0  # mean ROC-AUC; CPU


def run(arguments: argparse.Namespace) -> None:
    """All splits, printed and recorded."""
    quick = arguments.quick
    settings = settings_of(train_params(PRESET, 0, quick))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        given = {"training": settings, "shares": list(SHARES), "threads": arguments.threads}
        journal = Journal(folder if quick else WORK, "ecoli", **given)
        molecules = known(PRESET, folder / "all", quick)
        rows = [
            journal.of({"seed": seed}, partial(_split, molecules, seed, quick))
            for seed in range(2 if quick else arguments.seeds)
        ]
    found = _summary(rows)
    print(table([{"what": name, **values} for name, values in found["roc_auc"].items()]))
    print(table(found["bars"]))
    if not quick:
        protocol = {"split": KIND, **given, "published": PUBLISHED}
        record("ecoli", {**protocol, **found, "rows": rows})


def _split(molecules: Known, seed: int, quick: bool) -> dict[str, Any]:
    """ROC-AUC and average precision of both on the test molecules of one split."""
    folder = molecules.folder.parent / f"split{seed}"
    split = molecules.split(folder, KIND, SHARES, seed)
    tested = (split["split"] == "test").to_numpy()
    truth = split.loc[tested, molecules.target.name].to_numpy(int)
    ensemble = ensemble_of(train_params(PRESET, seed, quick), folder, folder / "train")
    members = said_of(ensemble, folder, tested)
    forest = forest_of(folder, split, molecules.target, seed)
    said = {OURS: members.mean(axis=0), ONE: members[0], FOREST: forest}
    return {
        "roc_auc": {name: float(roc_auc_score(truth, one)) for name, one in said.items()},
        "average_precision": {
            name: float(average_precision_score(truth, one)) for name, one in said.items()
        },
        "tested": int(tested.sum()),
        "actives": int(truth.sum()),
    }


def _summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    ratio = SHARES[2] / SHARES[0]

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
