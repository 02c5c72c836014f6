"""Several processes train every domain: the same weights again, also after a kill."""

from __future__ import annotations

import os
import shutil
import signal
import sys
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

# Every domain twice in processes that are started once: their imports cost most.
TWICE = """
import shutil, sys
from pathlib import Path
from pipelines.core.processes import rank
from pipelines.core.runner import run_stage
from pipelines.training.sharing import meet

for domain in sys.argv[1:]:
    for time in ("first", "second"):
        run_stage("train", domain)
        meet()
        if not rank():
            shutil.move(f"outputs/{domain}/train", f"outputs/{domain}/{time}")
            shutil.rmtree(f".work/{domain}/train")
        meet()
"""


def killed(project: Workspace, domain: str, fit: str, processes: dict[str, str]) -> None:
    """Train until an epoch of a fit has been kept, and kill what has started the processes."""
    process = project.start("train", domain, **processes)
    try:
        assert project.wait_for_epoch(process, domain, fit)
        workers = descendants(process)
        process.kill()
        _, alive = psutil.wait_procs(workers, timeout=30)
        assert len(workers) >= 2 and not alive
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_two_processes_train_the_same_again(finished: Workspace, tmp_path: Path) -> None:
    project, domains = finished.clone(tmp_path / "project"), finished.domains()
    project.set_param("screening.train.members", "1")  # which two train together
    (project.path / "twice.py").write_text(TWICE)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    here = {**TWO, "PYTHONPATH": str(project.path)}
    run = project.process([*torchrun, "twice.py", *domains], **here)
    assert run.returncode == 0, run.stderr
    for domain in domains:
        first = project.tree(f"outputs/{domain}/first")
        assert first and first == project.tree(f"outputs/{domain}/second"), domain
        alone = read_csv(finished.path / f"outputs/{domain}/train/history.csv")
        together = read_csv(project.path / f"outputs/{domain}/first/history.csv")
        alone = alone[alone["fit"].isin(together["fit"])]
        loss = next(name for name in alone if name.startswith("train_"))
        assert np.isclose(alone[loss][0], together[loss][0], rtol=NEAR), domain
        assert list(alone) == list(together) and len(alone) == len(together)
    # The game of molecules has a state that is shared out among the processes.
    killed(project, "molecules", "adversarial", TWO)
    run = project.run("train", "molecules", **TWO)
    assert run.returncode == 0 and not run.stderr, run.stderr
    assert project.tree("outputs/molecules/train") == project.tree("outputs/molecules/first")


def test_members_of_an_ensemble_are_what_one_process_makes_of_them(
    finished: Workspace, tmp_path: Path
) -> None:
    """Each of two processes trains one by itself."""
    project = finished.clone(tmp_path / "project")
    forget(project, "screening", "train")
    run = project.run("train", "screening", **TWO)
    assert run.returncode == 0 and not run.stderr, run.stderr
    assert project.tree("outputs/screening/train") == finished.tree("outputs/screening/train")


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
    assert spectra.wait_for_epoch(process, "spectra")
    workers = [child for child in descendants(process) if "pipelines" in " ".join(child.cmdline())]
    workers[-1].terminate()  # as the launcher ends the others
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "Traceback" not in said
    assert "of the training was killed by SIGTERM" in said.splitlines()[-1]
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive
    assert spectra.tree("outputs/spectra/train") == before


def test_what_cannot_be_shared_is_told_once(spectra: Workspace) -> None:
    spectra.set_param("spectra.train.batch_size", "25")
    for name, value, part in (
        ("SCISTAGE_DEVICES", "2", "do not share a batch of"),
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


def test_what_could_not_be_published_is_later_and_is_what_two_machines_train(
    spectra: Workspace, slurm: dict[str, str]
) -> None:
    folder = spectra.path / "outputs/spectra/train"
    shutil.rmtree(folder)
    folder.touch()
    message = one_line_error(spectra.run("train", "spectra", **TWO))
    assert "is a file where an output folder belongs" in message
    folder.unlink()
    run = spectra.run("train", "spectra", **TWO)
    assert run.returncode == 0 and "epoch" not in run.stdout, run.stdout + run.stderr
    assert not [*spectra.path.glob(".work/spectra/train/*")]
    together = spectra.tree("outputs/spectra/train")
    assert "weights.safetensors" in together
    forget(spectra, "spectra", "train")
    (spectra.path / ".venv/bin").mkdir(parents=True)
    (spectra.path / ".venv/bin/activate").touch()
    job = ["bash", "docs/train.sbatch", "spectra"]
    slurm |= {"SLURM_SUBMIT_DIR": str(spectra.path), "SCISTAGE_ACCELERATOR": "cpu"}
    run = spectra.process(job, **slurm)
    assert run.returncode == 0, run.stdout + run.stderr
    assert spectra.tree("outputs/spectra/train") == together
