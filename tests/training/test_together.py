"""Several processes train every domain: the same weights again, also after a kill."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest

from pipelines.core.artifacts import read_csv
from tests.faults.many_kills import descendants, forget
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


def killed(project: Workspace, domain: str, fit: str, processes: dict[str, str]) -> None:
    """Train until an epoch of a fit has been kept, and kill what has started the processes."""
    process = project.start("train", domain, **processes)
    try:
        deadline = time.monotonic() + 60
        while not [*project.path.glob(f".work/{domain}/train/*/cpu/{fit}/last.ckpt")]:
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
    if case == "molecules":  # its game has a state that is shared out among the processes
        killed(project, domain, "adversarial", TWO)
    assert project.run("train", domain, **TWO).returncode == 0
    assert project.tree(folder) == once
    if not CASES[case]:
        loss = next(name for name in alone if name.startswith("train_"))
        assert np.isclose(alone[loss][0], together[loss][0], rtol=NEAR)
        assert list(alone) == list(together) and len(alone) == len(together)


def test_three_processes_resume_as_if_nothing_had_been(spectra: Workspace) -> None:
    """Only of three and more does a sum depend on the order in which gradients are exchanged."""
    three = {**TWO, "SCISTAGE_DEVICES": "3"}
    spectra.set_param("spectra.train.batch_size", "24")
    spectra.set_param("spectra.train.epochs", "40")
    run = spectra.run("train", "spectra", **three)
    assert run.returncode == 0, run.stderr
    once = spectra.tree("outputs/spectra/train")
    killed(spectra, "spectra", "*", three)
    assert spectra.run("train", "spectra", **three).returncode == 0
    assert spectra.tree("outputs/spectra/train") == once


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
        ("SCISTAGE_NUM_NODES", "2", "MASTER_ADDR is not set"),
    ):
        run = spectra.run("train", "spectra", **{**TWO, name: value})
        line = one_line_error(run)
        assert line.startswith(f"scistage: {name}: found {value}") or repr(value) in line
        assert part in line
        assert run.stderr.count("scistage: ") == 1, run.stderr


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, str]:
    """As in a job on two machines, which are this one twice."""
    programs = {
        "scontrol": "echo 127.0.0.1; echo 127.0.0.1",
        "srun": 'while [[ $1 == --* ]]; do shift; done; "$@" & first=$!; "$@" & wait $! $first',
    }
    for name, script in programs.items():
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/bash\n{script}\n")
        program.chmod(0o755)
    python = str(Path(sys.executable).parent)
    return {
        "SLURM_NNODES": "2",
        "SLURM_CPUS_PER_TASK": "1",
        "SLURM_JOB_NODELIST": "node[1-2]",
        "SLURM_JOB_ID": str(os.getpid()),
        "PATH": os.pathsep.join([str(program.parent), python, os.environ["PATH"]]),
    }


def test_a_job_on_two_machines_trains_what_two_processes_train(
    spectra: Workspace, slurm: dict[str, str]
) -> None:
    folder = "outputs/spectra/train"
    assert spectra.run("train", "spectra", **TWO).returncode == 0
    together = spectra.tree(folder)
    forget(spectra, "spectra", "train")
    (spectra.path / ".venv/bin").mkdir(parents=True)
    (spectra.path / ".venv/bin/activate").touch()
    job = ["bash", "docs/train.sbatch", "spectra"]
    slurm |= {"SLURM_SUBMIT_DIR": str(spectra.path), "SCISTAGE_ACCELERATOR": "cpu"}
    run = spectra.process(job, **slurm)
    assert run.returncode == 0, run.stdout + run.stderr
    assert spectra.tree(folder) == together
    again = spectra.process(job, **slurm)
    assert again.returncode == 0, again.stderr
    assert "Running stage" not in again.stdout and "epoch" not in again.stdout
