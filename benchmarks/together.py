"""Training by two processes beside one, one thread each.

    python benchmarks/together.py [DOMAIN …] [--rounds 3] [--epochs 3] [--set KEY=NUMBER …]

Epochs are timed by the lines that the train stage prints until a fit ends, the first epoch of each
left out; an epoch has the same items whoever trains it. Members of an ensemble, which two processes
train side by side, are both counted. Rounds alternate. The project's outputs of `prepare` are used;
nothing is changed but a scratch copy. --set: parameters of `train` other than the project's, such
as likelihood.batch_size=512; a row of its own. Prints a table and writes
benchmarks/records/together.json.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from ruamel.yaml import YAML
from side_by_side import RECORDS, record, table

from pipelines.cli.verify import copy_project
from pipelines.core.artifacts import read_json
from pipelines.core.params import listed_domains, read_yaml

EPOCHS = {"molecules": "likelihood.epochs"}  # parameter of the first fit's; else `epochs`


def main() -> None:
    """All domains, printed and recorded."""
    arguments = _parser().parse_args()
    os.environ |= {"SCISTAGE_THREADS": "1", "SCISTAGE_ACCELERATOR": "cpu"}
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch, "project")
        copy_project(project)
        for domain in arguments.domains or listed_domains():
            folder = Path("outputs", domain, "prepare")
            shutil.copytree(folder, project / folder)
            epochs = f"{EPOCHS.get(domain, 'epochs')}={arguments.epochs}"
            for change in (epochs, *arguments.set):
                _set(project, domain, change)
            changed = {"changed": ", ".join(arguments.set)} if arguments.set else {}
            rows.append(speed(project, domain, arguments.rounds) | changed)
            print(rows[-1], flush=True)
    print(table(rows))
    keep(rows)


def keep(rows: list[dict[str, Any]]) -> None:
    """Record the rows; those of other domains stay."""
    path = RECORDS / "together.json"
    old = read_json(path)["rows"] if path.is_file() else []
    after = {(row["domain"], row.get("changed")): row for row in (*old, *rows)}
    record("together", {"rows": [*after.values()]}, others={})


def speed(project: Path, domain: str, rounds: int) -> dict[str, Any]:
    """Median seconds of an epoch, and the median ratio of the rounds."""
    found: list[tuple[float, float]] = []
    for number in range(rounds):
        seconds = {d: _epoch(project, domain, d) for d in ((1, 2), (2, 1))[number % 2]}
        found.append((seconds[1], seconds[2]))
    return {
        "domain": domain,
        "one, s an epoch": round(median(one for one, _ in found), 3),
        "two, s an epoch": round(median(two for _, two in found), 3),
        "throughput ratio": round(median(one / two for one, two in found), 2),
        "rounds": rounds,
    }


def _epoch(project: Path, domain: str, devices: int) -> float:
    """Seconds an epoch of what is trained at once, until a fit ends."""
    shutil.rmtree(project / ".work" / domain, ignore_errors=True)  # else it would go on from there
    command = [sys.executable, "-m", "pipelines", "train", domain]
    environment = {**os.environ, "SCISTAGE_DEVICES": str(devices)}
    process = subprocess.Popen(
        command, cwd=project, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    times: dict[str, list[float]] = {}
    for line in process.stdout:
        _, fit, _, count = line.split()[:4]  # retina member_0  epoch 1/3  …
        times.setdefault(fit, []).append(time.monotonic())
        number, total = count.split("/")
        if number == total:
            break
    process.kill()
    process.wait()
    rates = [(len(t) - 1) / (t[-1] - t[0]) for t in times.values() if len(t) > 1]
    if not rates:
        raise SystemExit(f"{domain}: the train stage failed")
    return 1 / sum(rates)


def _set(project: Path, domain: str, change: str) -> None:
    file = project / "params.yaml"
    document = read_yaml(file)
    section = document[domain]["train"]
    name, _, number = change.partition("=")
    *parents, last = name.split(".")
    for key in parents:
        section = section[key]
    section[last] = int(number)
    with file.open("w", encoding="utf-8") as stream:
        YAML().dump(document, stream)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("domains", nargs="*", metavar="DOMAIN", help="default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3, help="of the first fit")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=NUMBER", help="of train")
    return parser


if __name__ == "__main__":
    main()
