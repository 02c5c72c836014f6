"""Every network stays on its device: as far as that can be shown where there is no GPU."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from pipelines.core.artifacts import read_csv
from tests.workspace import ROOT, Workspace

NEAR = 0.03  # of the loss of the first epoch, which the CPU may compute in bfloat16
MIXED = """
import torch
from tests.accelerator import DEVICE, pretend
with pretend():
    there, here = torch.ones(3, device=DEVICE), torch.ones(3)
    for act in ({act}, lambda: there * 2 + there.sum().cpu()):
        try:
            print(act().device)
        except (RuntimeError, TypeError) as error:
            print("refused:", error)
"""


@pytest.mark.parametrize(
    "act",
    [
        "lambda: there + here",
        "lambda: torch.cat([here, there])",
        "lambda: there.numpy()",
        "lambda: there.index_put_((torch.arange(3),), here)",
    ],
)
def test_what_a_gpu_refuses_is_refused(act: str) -> None:
    run = Workspace(ROOT).process([sys.executable, "-c", MIXED.replace("{act}", act)])
    first, second = run.stdout.splitlines()
    assert first.startswith("refused:") and second == "pretended:0", run.stderr


@pytest.mark.parametrize("domain", [*dict.fromkeys([*Workspace(ROOT).domains(), "spectra"])])
def test_networks_compute_on_an_accelerator(
    domain: str, finished: Workspace, finished_spectra: Workspace, tmp_path: Path
) -> None:
    made = finished_spectra if domain == "spectra" else finished
    project = made.clone(tmp_path / "project")
    if domain == "molecules":  # the game's molecules are written token by token
        project.set_param("molecules.train.adversarial.epochs", "2")
        project.set_param("molecules.train.adversarial.rounds", "1")
    # What `scistage new` makes asks its small network on the CPU.
    stages = ["train"] if domain == "spectra" else ["train", "predict", "explain"]
    for stage in stages:
        shutil.rmtree(project.path / f"outputs/{domain}/{stage}")
    here = {"PYTHONPATH": str(project.path)}
    run = project.process([sys.executable, "-m", "tests.accelerator", domain, *stages], **here)
    assert run.returncode == 0, run.stderr[-3000:]
    histories = (p.path / f"outputs/{domain}/train/history.csv" for p in (made, project))
    before, there = map(read_csv, histories)
    loss = next(name for name in before if name.startswith("train_"))
    assert np.isclose(before[loss][0], there[loss][0], rtol=NEAR)
