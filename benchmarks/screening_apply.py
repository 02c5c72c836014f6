"""`scistage apply screening` on a long table: molecules a second, memory, and the time for ZINC15.

The molecules are those of MOSES, or of B3DB where MOSES cannot be had, again and again until there
are enough. Memory is that of the process and its workers together, pages that they share counted
once, looked at twice a second. The model is the trained one of the project.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
from screening_records import record

from domains.molecules.prepare.moses import MOSES
from domains.screening.prepare.known import B3DB
from pipelines.core.artifacts import read_json
from pipelines.core.environment import environment
from pipelines.core.errors import UserError
from pipelines.data.sources import fetch

ZINC15 = 107_000_000  # molecules that Stokes et al. 2020 ranked
QUICK = 4000
MOST_GB = 2.0
_MOSES, _B3DB = "moses/dataset/data/train.csv.gz", "B3DB/B3DB_classification.tsv"


def run(arguments: argparse.Namespace) -> None:
    """Write the table, apply the model to it, print and record."""
    count = QUICK if arguments.quick else arguments.molecules
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder, "molecules.csv"), Path(folder, "ranking.csv")
        source = write_table(given, count)
        found = applied(given, out, arguments.project)
        found |= _account(out, count)
    speed = count / found["seconds"]
    content = {
        "molecules": f"{count} of {source}",
        **found,
        "molecules_per_second": round(speed),
        "molecules_per_cpu_second": round(count / found["cpu_seconds"]),
        "days_for_107_million": round(ZINC15 / speed / 86400, 2),
        "below_2_GB": found["peak_memory_GB"] < MOST_GB,
        "threads": environment().threads,
        "precision": environment().precision or "default",
        "model": _model(arguments.project),
    }
    print(json.dumps(content, indent=2))
    if not arguments.quick:
        record("apply", content)


def write_table(path: Path, count: int) -> str:
    """Write so many molecules with names; whence they are."""
    try:
        source, smiles = "MOSES", pd.read_csv(fetch(MOSES)[_MOSES])["SMILES"]
    except UserError:
        source, smiles = "B3DB", pd.read_csv(fetch(B3DB)[_B3DB], sep="\t")["SMILES"]
    rows = enumerate(islice(cycle(smiles.tolist()), count), 1)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "smiles"])
        writer.writerows((f"{source}-{number}", text) for number, text in rows)
    return source


def applied(table: Path, out: Path, project: Path) -> dict[str, Any]:
    """Time and memory of the command."""
    command = [sys.executable, "-m", "pipelines", "apply", "screening", table, "-o", out]
    before, start, peak = os.times(), time.perf_counter(), 0
    with subprocess.Popen(command, cwd=project) as process:
        while process.poll() is None:
            peak = max(peak, sum(_memory(psutil.Process(process.pid))))
            time.sleep(0.5)
    if process.returncode:
        raise SystemExit(f"scistage apply failed ({process.returncode}), see above")
    seconds, after = time.perf_counter() - start, os.times()
    used = after.children_user + after.children_system
    return {
        "seconds": round(seconds, 1),
        "cpu_seconds": round(used - before.children_user - before.children_system, 1),
        "peak_memory_GB": round(peak / 1e9, 3),
    }


def _memory(parent: psutil.Process) -> Iterator[int]:
    """Bytes of each process of the tree."""
    try:
        for process in (parent, *parent.children(recursive=True)):
            used = process.memory_full_info()
            yield getattr(used, "pss", used.rss)
    except psutil.NoSuchProcess:  # it has just ended
        return


def _account(out: Path, count: int) -> dict[str, int]:
    """Rows with a score and without, which must be all."""
    scored = rows = 0
    for part in pd.read_csv(out, usecols=["reason"], chunksize=100_000):
        rows += len(part)
        scored += int(part["reason"].isna().sum())
    if rows != count:
        raise SystemExit(f"scistage apply: {rows} rows for {count}")
    return {"scored": scored, "left_out": rows - scored}


def _model(project: Path) -> dict[str, Any]:
    """The ensemble's size."""
    trained = read_json(project / "outputs" / "screening" / "train" / "model.json")["fits"]
    network = next(iter(trained.values()))["model"]
    sizes = {name: network[name] for name in ("hidden", "depth", "layers", "join")}
    return {"members": len(trained), **sizes}
