"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest

from pipelines.core.environment import prepare_process
from tests.once import built_once
from tests.workspace import ROOT, Workspace

# Tests run side by side, and small arrays are slower on two threads than on one.
os.environ["SCISTAGE_THREADS"] = "1"
prepare_process()


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace in which every domain has run at `tiny`; read only."""
    return Workspace(built_once(tmp_path_factory, "finished", partial(_build, only_spectra=False)))


@pytest.fixture(scope="session")
def finished_spectra(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with one domain, as `scistage new spectra` makes it, run; read only."""
    return Workspace(built_once(tmp_path_factory, "spectra", partial(_build, only_spectra=True)))


@pytest.fixture
def spectra(finished_spectra: Workspace, tmp_path: Path) -> Workspace:
    """A finished workspace of one's own with the small domain `spectra`."""
    return finished_spectra.clone(tmp_path / "project")


@pytest.fixture
def in_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test in the project's root."""
    monkeypatch.chdir(ROOT)


def _build(path: Path, only_spectra: bool) -> None:
    workspace = Workspace.create(path)
    if only_spectra:
        workspace.run("new", "spectra").check_returncode()
        workspace.keep_only("spectra")
    for run in workspace.run_many(*(["preset", name, "tiny"] for name in workspace.domains())):
        assert run.returncode == 0, run.stderr
    run = workspace.run("repro", "--jobs", "2")  # the other process of pytest may be waiting
    assert run.returncode == 0, run.stdout + run.stderr
