"""Where things are in a project; every path is relative to its root, the current folder."""

from __future__ import annotations

import os
from pathlib import Path

from pipelines.core.errors import UserError

PARAMS = Path("params.yaml")
STAGE_FILE = Path("dvc.yaml")
LOCK_FILE = Path("dvc.lock")
CONSTRAINTS = Path("constraints.txt")
OUTPUTS = Path("outputs")
WORK = Path(".work")


def enter_root() -> None:
    """Make the project's root the current folder, from anywhere inside the project.

    Raises:
        UserError: the current folder is in no SciStage project.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / STAGE_FILE).is_file() and (folder / "domains").is_dir():
            os.chdir(folder)
            return
    raise UserError(f"no dvc.yaml and domains/ here or above ({here}); run inside the project")
