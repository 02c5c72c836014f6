"""What SCISTAGE_PORTABLE=1 changes and costs, and whether another processor gives the same.

    python benchmarks/portable.py [DOMAIN …] [--preset tiny] [--emulate Haswell]

Runs each domain's chain in a scratch copy as this machine would and again with the cap, one
thread each, and says of each stage by how much the outputs differ and what both take. `--emulate`
runs each stage of the capped chain once more on an emulated processor (any that `qemu-x86_64 -cpu
help` lists; Debian's package is qemu-user) and compares its outputs. Prints a table, and how many
stages gave the same bytes with the cap as on the processors on record, and writes
benchmarks/records/portable_<processor>.json.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from machine import processor
from side_by_side import RECORDS, record, table

from pipelines.cli.differences import first_difference
from pipelines.cli.verify import copy_project
from pipelines.core.artifacts import read_json
from pipelines.core.contract import STAGES
from pipelines.core.params import listed_domains, read_yaml
from pipelines.core.project import LOCK_FILE
from pipelines.core.stagefile import digest

EMULATOR = "qemu-x86_64"
SAME = "the same"


def main() -> None:
    """All chains, printed and recorded."""
    arguments = _parser().parse_args()
    os.environ["SCISTAGE_THREADS"] = "1"
    os.environ["SCISTAGE_ACCELERATOR"] = "cpu"
    domains = arguments.domains or listed_domains()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        native, capped = Path(scratch, "native"), Path(scratch, "capped")
        for domain in domains:
            for project, portable in ((native, "0"), (capped, "1")):
                _run(project, domain, arguments.preset, portable)
            for stage in STAGES:
                row = _compared(native, capped, domain, stage)
                if arguments.emulate:
                    row["emulated"] = _emulated(capped, domain, stage, arguments.emulate)
                print(row, flush=True)
                rows.append(row)
    print(table(rows))
    _compare_with_records(rows, arguments.preset)
    content = {"preset": arguments.preset, "emulated": arguments.emulate, "rows": rows}
    name = re.sub(r"\W+", "-", (arguments.emulate or processor()).lower())
    record(f"portable_{name}", content, others={})


def _compare_with_records(rows: list[dict[str, Any]], preset: str) -> None:
    for path in sorted(RECORDS.glob("portable_*.json")):
        other = read_json(path)
        told = {(row["domain"], row["stage"]): row.get("bytes") for row in other["rows"]}
        both = [row for row in rows if told.get((row["domain"], row["stage"]))]
        if both and other["preset"] == preset:
            same = sum(row["bytes"] == told[row["domain"], row["stage"]] for row in both)
            print(f"as on {other['processor']}: {same} of {len(both)} stages")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("domains", nargs="*", metavar="DOMAIN", help="default: all")
    parser.add_argument("--preset", default="tiny", help="of each domain")
    parser.add_argument("--emulate", metavar="CPU", help=f"as {EMULATOR} names it")
    return parser


def _run(project: Path, domain: str, preset: str, portable: str) -> None:
    if not project.exists():
        copy_project(project)
    environment = {**os.environ, "SCISTAGE_PORTABLE": portable}
    for command in (["preset", domain, preset], ["repro", domain]):
        whole = [sys.executable, "-m", "pipelines", *command]
        subprocess.run(whole, cwd=project, env=environment, check=True, stdout=subprocess.DEVNULL)


def _compared(native: Path, capped: Path, domain: str, stage: str) -> dict[str, Any]:
    """Whether the outputs differ, and the ratio of CPU seconds, start-up included."""
    folders = [project / "outputs" / domain / stage for project in (native, capped)]
    seconds = [
        read_json(project / ".work" / domain / f"{stage}.run.json")["cpu_seconds"]
        for project in (native, capped)
    ]
    return {
        "domain": domain,
        "stage": stage,
        "capped": first_difference(*folders) or SAME,
        "bytes": _bytes(capped, f"{stage}@{domain}"),
        "CPU-s": seconds[0],
        "capped CPU-s": seconds[1],
    }


def _bytes(project: Path, stage: str) -> str:
    """A name for what the stage has written, by `dvc.lock`."""
    outs = read_yaml(project / LOCK_FILE)["stages"][stage]["outs"]
    return digest([], *sorted(f"{out['path']} {out['md5']}" for out in outs))[:12]


def _emulated(project: Path, domain: str, stage: str, processor: str) -> str:
    """The stage once more in a copy of the project, on the processor; how its outputs differ."""
    copy = project.with_name("emulated")
    shutil.copytree(project, copy, symlinks=True)
    try:
        command = [EMULATOR, "-cpu", processor, os.path.realpath(sys.executable)]
        libraries = os.pathsep.join(path for path in sys.path if path)
        environment = {**os.environ, "SCISTAGE_PORTABLE": "1", "PYTHONPATH": libraries}
        whole = [*command, "-m", "pipelines", stage, domain]
        run = subprocess.run(whole, cwd=copy, env=environment, capture_output=True, text=True)
        if run.returncode:
            return f"failed: {run.stderr.strip().splitlines()[-1]}"
        folder = Path("outputs", domain, stage)
        return first_difference(project / folder, copy / folder) or SAME
    finally:
        shutil.rmtree(copy)


if __name__ == "__main__":
    main()
