"""Fixtures of the command line's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.imports import EXPORTED
from tests.once import built_once
from tests.workspace import Workspace


@pytest.fixture(scope="session")
def exported(finished: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an export `<domain>/model` of every domain, and what was printed beside it."""

    def build(folder: Path) -> None:
        calls = [["export", name, "-o", str(folder / name / "model")] for name in EXPORTED]
        for name, run in zip(EXPORTED, finished.run_many(*calls), strict=True):
            assert run.returncode == 0, run.stderr
            (folder / name / "printed.txt").write_text(run.stdout)

    return built_once(tmp_path_factory, "exported", build)
