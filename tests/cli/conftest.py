"""Fixtures of the command line's tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from tests.imports import DOMAINS
from tests.workspace import Workspace


@pytest.fixture(scope="session")
def exported(finished: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an export `<domain>/model` of every domain, and what was printed beside it.

    Built by whichever of pytest-xdist's processes comes first; read only.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "exported"
    with FileLock(f"{folder}.lock"):
        if not folder.with_suffix(".done").exists():
            calls = [["export", name, "-o", str(folder / name / "model")] for name in DOMAINS]
            for name, run in zip(DOMAINS, finished.run_many(*calls), strict=True):
                assert run.returncode == 0, run.stderr
                (folder / name / "printed.txt").write_text(run.stdout)
            folder.with_suffix(".done").touch()
    return folder
