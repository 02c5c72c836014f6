"""`scistage repro --jobs 2` beside the same without: time, failures, and whether locks differ.

    python benchmarks/jobs.py [--preset tiny] [--rounds 5]

Every round runs all domains from nothing in two scratch copies, one domain after the other and two
at a time, one thread a process in both, the order of the two alternating. Prints a table and writes
benchmarks/records/jobs.json.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from side_by_side import record, table

from pipelines.cli.verify import copy_project
from pipelines.core.params import listed_domains

KINDS = {"one after the other": ("--jobs", "1"), "two at a time": ("--jobs", "2")}


def main() -> None:
    """All rounds, printed and recorded."""
    arguments = _parser().parse_args()
    os.environ |= {"SCISTAGE_THREADS": "1", "SCISTAGE_ACCELERATOR": "cpu"}
    rows: list[dict[str, Any]] = []
    locks = set()
    for number in range(arguments.rounds):
        row: dict[str, Any] = {"round": number + 1, **{f"{kind}, s": 0.0 for kind in KINDS}}
        row["failed"] = 0
        for kind in [*KINDS][:: -1 if number % 2 else 1]:
            seconds, failed, lock = run(kind, arguments.preset)
            row[f"{kind}, s"] = round(seconds, 1)
            row["failed"] += failed
            locks.add(lock)
        row["ratio"] = round(row["two at a time, s"] / row["one after the other, s"], 3)
        rows.append(row)
        print(row, flush=True)
    print(table(rows))
    found = {"median_ratio": median(row["ratio"] for row in rows), "distinct_locks": len(locks)}
    print(found)
    record("jobs", {"preset": arguments.preset, **found, "rows": rows}, others={})


def run(kind: str, preset: str) -> tuple[float, bool, bytes]:
    """Seconds, whether the command failed, and the lock, of a project that has not run before."""
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch, "project")
        copy_project(project)
        (project / "dvc.lock").unlink(missing_ok=True)
        for domain in listed_domains():
            _scistage(project, "preset", domain, preset).check_returncode()
        start = time.monotonic()
        done = _scistage(project, "repro", *KINDS[kind])
        seconds = time.monotonic() - start
        if done.returncode:
            print(done.stdout, done.stderr)
        return seconds, bool(done.returncode), (project / "dvc.lock").read_bytes()


def _scistage(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="tiny", help="of each domain")
    parser.add_argument("--rounds", type=int, default=5)
    return parser


if __name__ == "__main__":
    main()
