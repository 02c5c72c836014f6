"""Several processes train every domain: the same weights again, also after a kill."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest

from pipelines.core.artifacts import read_csv
from tests.faults.many_kills import descendants
from tests.workspace import Workspace, one_line_error

TWO = {"SCISTAGE_DEVICES": "2", "SCISTAGE_ACCELERATOR": "cpu"}
NEAR = 0.03  # of the loss of the first epoch; shares of batches are normalised each by itself

CASES = {
    "segmentation": {},
    "retina": {"retina.train.pretext.epochs": "1"},
    "screening": {},
    "molecules": {},
    "molecules, latent": {"molecules.train.model": "latent_gan"},
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def killed(project: Workspace, domain: str) -> None:
    """Train until an epoch has been kept, and kill what has started the processes."""
    process = project.start("train", domain, **TWO)
    try:
        deadline = time.monotonic() + 60
        while not [*project.path.glob(f".work/{domain}/train/*/cpu/*/last.ckpt")]:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        workers = descendants(process)
        process.kill()
        _, alive = psutil.wait_procs(workers, timeout=30)
        assert len(workers) >= 2 and not alive
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_two_processes_train_the_same_again(finished: Workspace, tmp_path: Path, case: str) -> None:
    project, domain = finished.clone(tmp_path / "project"), case.split(",")[0]
    for dotted, value in CASES[case].items():
        project.set_param(dotted, value)
    folder = f"outputs/{domain}/train"
    alone = read_csv(project.path / folder / "history.csv")
    run = project.run("train", domain, **TWO)
    assert run.returncode == 0, run.stderr
    assert not run.stderr
    once = project.tree(folder)
    together = read_csv(project.path / folder / "history.csv")
    if domain == "molecules":  # the state of its games is the only one that processes share out
        killed(project, domain)
    assert project.run("train", domain, **TWO).returncode == 0
    assert project.tree(folder) == once
    if not CASES[case]:
        loss = next(name for name in alone if name.startswith("train_"))
        assert np.isclose(alone[loss][0], together[loss][0], rtol=NEAR)
        assert list(alone) == list(together) and len(alone) == len(together)


def test_a_process_that_is_killed_is_named_and_leaves_no_other(spectra: Workspace) -> None:
    spectra.set_param("spectra.train.epochs", "100000")
    before = spectra.tree("outputs/spectra/train")
    process = spectra.start("train", "spectra", **TWO)
    deadline = time.monotonic() + 60
    while not [*spectra.path.glob(".work/spectra/train/*/cpu/*/last.ckpt")]:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    workers = [child for child in descendants(process) if "pipelines" in " ".join(child.cmdline())]
    workers[-1].kill()
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "Traceback" not in said
    assert "of the training was killed by SIGKILL" in said.splitlines()[-1]
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive
    assert spectra.tree("outputs/spectra/train") == before


def test_what_cannot_be_shared_is_told_once(spectra: Workspace) -> None:
    for name, value, part in (
        ("SCISTAGE_DEVICES", "3", "do not share a batch of"),
        ("SCISTAGE_DEVICES", "none", "give a whole number"),
        ("SCISTAGE_STRATEGY", "fsdp", "give ddp or"),
        ("SCISTAGE_NUM_NODES", "2", "MASTER_ADDR is not set"),
    ):
        run = spectra.run("train", "spectra", **{**TWO, name: value})
        line = one_line_error(run)
        assert line.startswith(f"scistage: {name}: found {value}") or repr(value) in line
        assert part in line
        assert run.stderr.count("scistage: ") == 1, run.stderr
