"""The same bytes in every way to come by them: `make faults`, or `python -m tests.faults.matrix`.

Of every domain, or of those named, at `tiny`: two clones × 0, 1 and 2 loader workers × trained at
once or killed and resumed × forced or restored from DVC's run cache, against one run. Prints a
table.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from tests.faults.many_kills import IDENTICAL, finished, forget_all
from tests.workspace import Workspace

TRIES = 5  # the moment may be missed
WORKERS = ("0", "1", "2")
PATIENCE = 300.0  # seconds until a first epoch has been kept


def forced(workspace: Workspace, domain: str, workers: str, resumed: bool) -> str:
    """Run everything anew, killed once while it trains if `resumed`; what is wrong, if anything."""
    if resumed and not any(_killed(workspace, domain, workers) for _ in range(TRIES)):
        return "was too late to be killed"
    run = workspace.run("repro", "--force", domain, SCISTAGE_WORKERS=workers)
    return "" if run.returncode == 0 else run.stderr.strip().splitlines()[-1]


def _killed(workspace: Workspace, domain: str, workers: str) -> bool:
    """Whether it could be killed between a first epoch and the end of the training."""
    process = workspace.start("repro", "--force", domain, SCISTAGE_WORKERS=workers)
    begun = workspace.wait_for_epoch(process, domain, patience=PATIENCE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return begun and [*workspace.path.glob(f".work/{domain}/train/*/*/*/last.ckpt")] != []


def restored(workspace: Workspace, domain: str) -> str:
    """Take outputs and lock away and have DVC bring them back; what is wrong, if anything."""
    forget_all(workspace, domain)
    run = workspace.run("repro", domain)
    if run.returncode:
        return run.stderr.strip().splitlines()[-1]
    # DVC removes what git keeps, the scores, before it looks into its cache.
    ran = set(re.findall(r"^Running stage '(\w+)@", run.stdout, re.MULTILINE)) - {"evaluate"}
    return f"was run: {', '.join(sorted(ran))}" if ran else ""


def against(workspace: Workspace, whole: Workspace) -> str:
    """`identical`, or the first file that differs."""
    now, before = workspace.tree("outputs"), whole.tree("outputs")
    differing = [n for n in {*now, *before} if now.get(n) != before.get(n)]
    if differing:
        return f"differs: {min(differing)}"
    same = workspace.read("dvc.lock") == whole.read("dvc.lock")
    return IDENTICAL if same else "differs: dvc.lock"


def cells(whole: Workspace, folder: Path, domain: str, workers: str, resumed: bool) -> list[str]:
    """What is found in a clone at `folder` after a forced run, and after its restoration."""
    workspace = whole.clone(folder)
    try:
        ran = forced(workspace, domain, workers, resumed) or against(workspace, whole)
        return [ran, restored(workspace, domain) or against(workspace, whole)]
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """All combinations."""
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        whole = finished(Path(scratch, "whole"))
        print("| domain | clone | workers | training | forced | restored |\n" + "|---" * 6 + "|")
        domains = sys.argv[1:] or whole.domains()
        ways = itertools.product(domains, ("a", "b/b"), WORKERS, (False, True))
        for domain, clone, workers, resumed in ways:
            found = cells(whole, Path(scratch, clone), domain, workers, resumed)
            wrong += sum(each != IDENTICAL for each in found)
            training = "resumed" if resumed else "at once"
            print(f"| {' | '.join([domain, clone, workers, training, *found])} |", flush=True)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
