"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from tests.workspace import ROOT, Workspace

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace in which every domain, and a new one, has run at `tiny`; read only.

    Built once, by whichever of pytest-xdist's processes comes first.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    path = shared / "finished"
    with FileLock(f"{path}.lock"):
        if not (path / "done").exists():
            workspace = Workspace.create(path)
            workspace.run("new", "spectra").check_returncode()
            for domain in workspace.domains():
                workspace.run("preset", domain, "tiny").check_returncode()
            run = workspace.run("repro")
            assert run.returncode == 0, run.stdout + run.stderr
            (path / "done").touch()
    return Workspace(path)


@pytest.fixture
def spectra(finished: Workspace, tmp_path: Path) -> Workspace:
    """A finished workspace of one's own, cut down to the small domain `spectra`."""
    workspace = finished.clone(tmp_path / "project")
    domains = [name for name in workspace.domains() if name != "spectra"]
    text = (workspace.path / "params.yaml").read_text()
    kept = text[text.index("\nspectra:") :]
    (workspace.path / "params.yaml").write_text(f"domains:\n- spectra\n{kept}")
    for name in domains:
        for stage in ("prepare", "train", "predict", "evaluate", "explain", "report"):
            workspace.process(["dvc", "remove", f"{stage}@{name}"])
    return workspace


@pytest.fixture
def in_root(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Run the test in the project's root."""
    monkeypatch.chdir(ROOT)
    return lambda: None
