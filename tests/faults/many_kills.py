"""Kills at random moments, many of them: `make faults`, or `python -m tests.faults.many_kills`.

Of every stage of every domain, at `tiny`: the stage is forgotten, `scistage repro` started, and
once the stage runs something is killed at a moment drawn from how long it takes. Then the same
command must give the same bytes, and nothing may be written between the kill and that command.

Domains may be named; `--kills` is how many there are of each stage of each. What is found is
appended to `.work/faults/kills.csv`, so that an interrupted run goes on where it was; other code
begins anew. A project that is not what it must be is kept beside it.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import get_type_hints

import psutil

from pipelines.core.contract import STAGES
from pipelines.core.randomness import generator
from pipelines.core.stagefile import digest
from tests.workspace import ROOT, Workspace

WHOM = ("group", "dvc", "stage", "group, SIGTERM")
IDENTICAL = "identical"
PATIENCE = 300.0  # seconds for a stage to start, and for killed processes to be gone
LATE = 0.5  # seconds in which an orphan would still write


@dataclass(frozen=True)
class Kill:
    """One kill and what came of it.

    Attributes:
        code: digest of the project, of which these are the results.
        domain, stage, number: which of the kills.
        whom: what was killed, and how if not by SIGKILL.
        after: seconds that the stage had run.
        finished: whether the command had ended before it could be killed.
        found: `identical`, or what was wrong.
    """

    code: str
    domain: str
    stage: str
    number: int
    whom: str
    after: float
    finished: bool
    found: str


class Victim:
    """A finished project, in which stages are killed, and what must be there afterwards."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.lock, self.outputs = workspace.read("dvc.lock"), workspace.tree("outputs")
        self.seconds: dict[tuple[str, str], float] = {}

    def kill(self, code: str, domain: str, stage: str, number: int) -> Kill:
        """Kill once; the project is whole again if what is found is `identical`."""
        draw = generator(*(sum(map(ord, text)) for text in (domain, stage)), number)
        whom = WHOM[number % len(WHOM)]
        if (domain, stage) not in self.seconds:
            self.seconds[domain, stage] = self._duration(domain, stage)
        after = float(draw.uniform(0, self.seconds[domain, stage]))
        forget(self.workspace, domain, stage)
        process = self.workspace.start("repro", domain)
        try:
            killed = self._kill(process, domain, stage, whom, after)
            found = self._after_kill(process, killed, domain)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        return Kill(code, domain, stage, number, whom, round(after, 2), not killed, found)

    def _duration(self, domain: str, stage: str) -> float:
        """Seconds from the start of the stage to the end of `scistage repro`."""
        forget(self.workspace, domain, stage)
        process = self.workspace.start("repro", domain)
        self._wait_for_stage(process, domain, stage)
        start = time.monotonic()
        said, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"{stage}@{domain} fails without being killed:\n{said}")
        return time.monotonic() - start

    def _kill(
        self, process: subprocess.Popen[str], domain: str, stage: str, whom: str, after: float
    ) -> list[psutil.Process]:
        """All processes that ran when some of them were killed; none if it was too late."""
        self._wait_for_stage(process, domain, stage)
        with suppress(subprocess.TimeoutExpired):
            process.wait(after)
        running = descendants(process)
        if process.poll() is not None:
            return []
        if whom.startswith("group"):
            number = signal.SIGTERM if whom.endswith("SIGTERM") else signal.SIGKILL
            os.killpg(process.pid, number)
            return running
        word = "-m dvc" if whom == "dvc" else f"-m pipelines {stage}"
        for one in running:
            if word in command_of(one):
                with suppress(psutil.Error):
                    one.kill()
        return running

    def _wait_for_stage(self, process: subprocess.Popen[str], domain: str, stage: str) -> None:
        deadline = time.monotonic() + PATIENCE
        word = f"-m pipelines {stage} {domain}"
        while process.poll() is None and time.monotonic() < deadline:
            if any(word in command_of(one) for one in descendants(process)):
                return
            time.sleep(0.005)

    def _after_kill(
        self, process: subprocess.Popen[str], killed: list[psutil.Process], domain: str
    ) -> str:
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=PATIENCE)
        _, alive = psutil.wait_procs(killed, timeout=PATIENCE)
        if alive or process.poll() is None:
            return f"still running: {[command_of(one) for one in alive]}"
        left = self.workspace.tree("outputs")
        time.sleep(LATE)
        if self.workspace.tree("outputs") != left:
            return "an orphan has written late"
        run = self.workspace.run("repro", domain)
        if run.returncode:
            return f"exit code {run.returncode}: {run.stderr.strip().splitlines()[-1:]}"
        now = self.workspace.tree("outputs")
        differing = [n for n in {*now, *self.outputs} if now.get(n) != self.outputs.get(n)]
        if differing:
            return f"differs: {min(differing)}"
        return IDENTICAL if self.workspace.read("dvc.lock") == self.lock else "differs: dvc.lock"


def forget(workspace: Workspace, domain: str, stage: str) -> None:
    """Make a stage one that has not run: no output, no entry in lock and run cache."""
    _drop(workspace, domain, stage)
    shutil.rmtree(workspace.path / ".dvc" / "cache" / "runs", ignore_errors=True)


def forget_all(workspace: Workspace, domain: str) -> None:
    """Leave nothing of a domain's stages but what is in DVC's cache."""
    for stage in STAGES:
        _drop(workspace, domain, stage)


def _drop(workspace: Workspace, domain: str, stage: str) -> None:
    lock = workspace.path / "dvc.lock"
    entry = rf"^  {stage}@{domain}:\n(    .*\n)*"
    lock.write_text(re.sub(entry, "", lock.read_text(), flags=re.MULTILINE))
    (workspace.path / ".work" / "dvc.lock").unlink(missing_ok=True)  # its copy
    shutil.rmtree(workspace.path / "outputs" / domain / stage)


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """All running processes below one."""
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.Error:
        return []


def command_of(process: psutil.Process) -> str:
    """The command line; "" of a process that has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def main() -> None:
    """All kills that have not been made yet; the table of all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("domains", nargs="*", help="of which domains; all if none is named")
    parser.add_argument("--kills", type=int, default=20, help="of each stage of each domain")
    parser.add_argument("--folder", type=Path, default=ROOT / ".work" / "faults")
    options = parser.parse_args()
    os.chdir(ROOT)
    code = digest([Path(name) for name in ("pipelines", "domains", "dvc.yaml", "constraints.txt")])[
        :16
    ]
    journal = options.folder / "kills.csv"
    victim = Victim(finished(options.folder / code))
    done = [kill for kill in read(journal) if kill.code == code]
    keys = {(kill.domain, kill.stage, kill.number) for kill in done}
    for number in range(options.kills):
        for domain in options.domains or victim.workspace.domains():
            for stage in [*STAGES]:
                if (domain, stage, number) in keys:
                    continue
                kill = victim.kill(code, domain, stage, number)
                append(journal, kill)
                done.append(kill)
                if kill.found != IDENTICAL:
                    print(kill, flush=True)
                    victim.workspace.path.replace(journal.with_name(f"{domain}_{stage}_{number}"))
                    victim = Victim(finished(options.folder / code))
    print(table(done))
    sys.exit(any(kill.found != IDENTICAL for kill in done))


def finished(path: Path) -> Workspace:
    """The project at `path` with every domain run at `tiny`; made if it is not there."""
    if not (path / "outputs" / "index.html").is_file():
        shutil.rmtree(path, ignore_errors=True)
        workspace = Workspace.create(path)
        for domain in workspace.domains():
            workspace.run("preset", domain, "tiny").check_returncode()
    workspace = Workspace(path)
    for domain in workspace.domains():
        run = workspace.run("repro", domain)
        if run.returncode:
            raise SystemExit(run.stdout + run.stderr)
    return workspace


def read(journal: Path) -> Iterator[Kill]:
    """Kills of earlier runs."""
    if not journal.is_file():
        return
    kinds = get_type_hints(Kill)
    with journal.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            values = {n: v == "True" if kinds[n] is bool else kinds[n](v) for n, v in row.items()}
            yield Kill(**values)


def append(journal: Path, kill: Kill) -> None:
    """Add a line."""
    new = not journal.is_file()
    with journal.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow([field.name for field in fields(Kill)])
        writer.writerow(astuple(kill))


def table(kills: list[Kill]) -> str:
    """Markdown: of each domain and stage how many kills, and how many ended as they must."""
    lines = ["| domain | " + " | ".join(STAGES) + " |", "|---" * (len(STAGES) + 1) + "|"]
    for domain in dict.fromkeys(kill.domain for kill in kills):
        cells = []
        for stage in STAGES:
            found = [k.found for k in kills if (k.domain, k.stage) == (domain, stage)]
            cells.append(f"{found.count(IDENTICAL)} of {len(found)}")
        lines.append(f"| {domain} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
