"""DVC as a program: how it is called, and what it needs of the machine."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
from pathlib import Path

from pipelines.core.errors import UserError

DVC = [sys.executable, "-m", "dvc"]


def dvc_environment() -> dict[str, str]:
    """Of a process that runs DVC."""
    environment = dict(os.environ)
    # Stages are run with the first `python` on PATH: let it be the one that runs this.
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    try:
        getpass.getuser()
    except (KeyError, OSError):  # in a container, whose user often has no name, DVC would stop
        environment["LOGNAME"] = str(os.getuid())
    return environment


def ask_dvc(*arguments: str) -> str:
    """What DVC prints; UserError with its complaint if it fails."""
    run = subprocess.run(
        [*DVC, *arguments], env=dvc_environment(), capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise UserError(f"dvc {arguments[0]}: {run.stderr.strip()}")
    return run.stdout


def require_repository() -> None:
    """Raise UserError unless this folder is in a git repository, or DVC is told to do without."""
    here = Path.cwd()
    if any((folder / ".git").exists() for folder in (here, *here.parents)):
        return
    if ask_dvc("config", "core.no_scm").strip().lower() not in ("true", "1", "yes"):
        raise UserError(
            f"{here}: is in no git repository, which DVC needs; clone the project with git, or run "
            "`git init` here"
        )
