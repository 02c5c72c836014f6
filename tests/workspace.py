"""A copy of the project in a folder of its own, in which real processes are run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipelines.core.params import read_yaml

ROOT = Path(__file__).parents[1]
IGNORED = shutil.ignore_patterns(
    ".git", ".venv", ".work", "outputs", "cache", "tmp", "__pycache__", "*.egg-info", ".*_cache"
)

RUN_MANY = """
import contextlib, io, json, sys
from pipelines.cli.main import main
results = []
for call in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(call)
    results.append([call, code, out.getvalue(), err.getvalue()])
print(json.dumps(results))
"""


class Workspace:
    """A project in `path`; `run` calls the command line in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path) -> Workspace:
        """Copy the project's files into a new git repository, without caches and outputs."""
        shutil.copytree(ROOT, path, ignore=IGNORED)
        (path / "dvc.lock").unlink(missing_ok=True)
        Workspace(path).drop("spectra")  # a user's own: tests make one of that name
        workspace = cls(path)
        workspace.process(["git", "init", "-q"]).check_returncode()
        workspace.commit("copy")
        return workspace

    def commit(self, message: str) -> None:
        """Have git take up everything that it does not ignore."""
        identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
        for arguments in (["add", "-A"], ["commit", "-q", "-m", message]):
            self.process(["git", *identity, *arguments]).check_returncode()

    def clone(self, path: Path) -> Workspace:
        """A copy of this workspace as it stands, outputs and DVC's cache included."""
        shutil.copytree(self.path, path, symlinks=True)
        return Workspace(path)

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """`scistage ARGUMENTS` with further environment variables."""
        return self.process([sys.executable, "-m", "pipelines", *arguments], **env)

    def run_many(self, *calls: list[str]) -> list[subprocess.CompletedProcess[str]]:
        """Several `scistage ARGUMENTS` in one process, to pay for its imports once."""
        run = self.process([sys.executable, "-c", RUN_MANY, json.dumps(calls)])
        assert run.returncode == 0, run.stdout + run.stderr
        return [subprocess.CompletedProcess(*result) for result in json.loads(run.stdout)]

    def process(self, command: list[str], **env: str) -> subprocess.CompletedProcess[str]:
        """Any command, in this folder."""
        return subprocess.run(
            command,
            cwd=self.path,
            env=self.environment(**env),
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """`scistage ARGUMENTS` as a process group of its own, not waited for."""
        return subprocess.Popen(
            [sys.executable, "-m", "pipelines", *arguments],
            cwd=self.path,
            env=self.environment(**env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait_for_epoch(
        self, process: subprocess.Popen[str], domain: str, fit: str = "*", patience: float = 60
    ) -> bool:
        """Wait until a training has kept an epoch; whether it has, or had ended before."""
        pattern, deadline = f".work/{domain}/train/*/*/{fit}/last.ckpt", time.monotonic() + patience
        while not [*self.path.glob(pattern)]:
            if process.poll() is not None:
                return False
            assert time.monotonic() < deadline, f"no epoch of {domain} in {patience} s"
            time.sleep(0.005)
        return True

    def environment(self, **env: str) -> dict[str, str]:
        """As on a fresh machine: one thread a process, because tests run side by side."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "DVC_"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{inherited['PATH']}"
        return {**inherited, "PATH": path, "SCISTAGE_THREADS": "1", **env}

    def set_param(self, dotted: str, value: str) -> None:
        """Replace the value of `domain.stage.key…` in `params.yaml`, as an editor would."""
        write_param(self.path, dotted, YAML(typ="safe").load(value))

    def keep_only(self, domain: str) -> None:
        """Take the other domains off `params.yaml`."""
        file = self.path / "params.yaml"
        section = file.read_text().split(f"\n{domain}:\n")[1]
        file.write_text(f"domains:\n- {domain}\n\n{domain}:\n{section}")

    def drop(self, domain: str) -> None:
        """Take a domain off the project, if it is there."""
        shutil.rmtree(self.path / "domains" / domain, ignore_errors=True)
        file = self.path / "params.yaml"
        entry = rf"^- {domain}\n|^\n{domain}:\n(?:  .*\n)*"
        file.write_text(re.sub(entry, "", file.read_text(), flags=re.MULTILINE))

    def domains(self) -> list[str]:
        return [str(domain) for domain in read_yaml(self.path / "params.yaml")["domains"]]

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def tree(self, folder: str) -> dict[str, bytes]:
        """Every file below a folder, with its bytes."""
        base = self.path / folder
        files = sorted(path for path in base.rglob("*") if path.is_file())
        return {str(path.relative_to(base)): path.read_bytes() for path in files}


def write_param(project: Path, dotted: str, value: Any) -> None:
    """Replace the value of `domain.stage.key…` in a project's `params.yaml`, comments kept."""
    file = project / "params.yaml"
    document = read_yaml(file)
    *parents, last = dotted.split(".")
    section = document
    for key in parents:
        section = section[key]
    section[last] = value
    with file.open("w", encoding="utf-8") as stream:
        YAML().dump(document, stream)


def one_line_error(run: subprocess.CompletedProcess[Any]) -> str:
    """The one line that a mistake of the user's must end in, with exit code 2."""
    lines = [line for line in run.stderr.splitlines() if line.startswith("scistage: ")]
    assert run.returncode == 2, run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr, run.stdout + run.stderr
    assert lines, run.stdout + run.stderr
    return str(lines[0])
