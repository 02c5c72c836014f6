"""What a machine does: a clock that is set back, a damaged cache, too little memory, a dead worker.

Disks are in `test_errors.py`, kills in `test_kills.py`.
"""

from __future__ import annotations

import os
import shutil
import time

from pipelines.core.contract import STAGES
from tests.faults.many_kills import descendants
from tests.workspace import Workspace, one_line_error

TOO_MUCH = "100000000000000"
YEAR = 365 * 24 * 3600


def mended(workspace: Workspace, outputs: dict[str, bytes], lock: bytes) -> None:
    """`repro` leaves what was there before the damage."""
    run = workspace.run("repro")
    assert run.returncode == 0, run.stdout + run.stderr
    assert workspace.tree("outputs") == outputs
    assert workspace.read("dvc.lock") == lock


def test_files_of_the_future_change_nothing(spectra: Workspace) -> None:
    """As after a clock was set back: all that is there is newer than what is written now."""
    outputs, lock = spectra.tree("outputs"), spectra.read("dvc.lock")
    for path in spectra.path.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (time.time() + YEAR, time.time() + YEAR))
    run = spectra.run("repro")
    assert run.returncode == 0 and "Running stage" not in run.stdout
    metrics = spectra.path / "outputs/spectra/evaluate/metrics.json"
    metrics.write_text(metrics.read_text().replace("4", "5"))  # and is older than all else
    assert metrics.read_bytes() != outputs["spectra/evaluate/metrics.json"]
    mended(spectra, outputs, lock)


def test_damaged_outputs_are_put_right(spectra: Workspace) -> None:
    outputs, lock = spectra.tree("outputs"), spectra.read("dvc.lock")
    damaged = [p for p in (spectra.path / "outputs/spectra").rglob("*") if p.is_file()]
    assert {path.parts[-2] for path in damaged} >= {*STAGES}
    for path in damaged:
        path.write_bytes(path.read_bytes()[:-10])
    mended(spectra, outputs, lock)


def test_an_output_that_is_damaged_in_the_cache_too_is_computed_again(spectra: Workspace) -> None:
    outputs, lock = spectra.tree("outputs"), spectra.read("dvc.lock")
    for path in (spectra.path / ".dvc/cache/files").rglob("*"):
        if path.is_file() and path.stat().st_size > 1000:
            path.chmod(0o644)
            path.write_bytes(path.read_bytes()[:-100])
    shutil.rmtree(spectra.path / "outputs")
    mended(spectra, outputs, lock)


def test_too_little_memory(spectra: Workspace) -> None:
    outputs = spectra.tree("outputs")
    for parameter, stage in (("prepare.train", "prepare"), ("train.hidden", "train")):
        spectra.set_param(f"spectra.{parameter}", TOO_MUCH)
        message = one_line_error(spectra.run(stage, "spectra"))
        assert "out of memory" in message and "give less at a time" in message
        assert spectra.tree("outputs") == outputs


def test_a_loader_process_that_dies(spectra: Workspace) -> None:
    outputs = spectra.tree("outputs")
    spectra.set_param("spectra.train.epochs", "100000")
    process = spectra.start("train", "spectra", SCISTAGE_WORKERS="1")
    assert spectra.wait_for_epoch(process, "spectra")
    for worker in descendants(process):
        worker.kill()
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2, said
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith(
        "scistage: SCISTAGE_WORKERS: a loader process was ended"
    )
    assert spectra.tree("outputs") == outputs
