"""Outputs shared through a DVC remote, as the README says."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipelines.cli.dvc import DVC
from tests.faults.test_reruns import ran
from tests.workspace import Workspace


def test_pushed_outputs_are_pulled_elsewhere_and_nothing_reruns(
    spectra: Workspace, tmp_path: Path
) -> None:
    outputs = spectra.tree("outputs/spectra")
    for command in (
        [*DVC, "remote", "add", "--default", "lab", str(tmp_path / "lab")],
        [*DVC, "push"],
    ):
        spectra.process(command).check_returncode()
    spectra.commit("results")
    spectra.process(["git", "clone", "-q", ".", str(tmp_path / "clone")]).check_returncode()
    shutil.rmtree(spectra.path)
    clone = Workspace(tmp_path / "clone")
    clone.process([*DVC, "pull"]).check_returncode()
    assert clone.tree("outputs/spectra") == outputs
    run = clone.run("repro")
    assert run.returncode == 0, run.stdout + run.stderr
    assert ran(run.stdout) == []
    clone.set_param("spectra.report.title", "Another title")
    assert ran(clone.run("repro").stdout) == ["report"]
