"""`scistage verify`: does a run from nothing, elsewhere, give the same outputs?"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.cli.check import chosen_domains
from pipelines.cli.differences import first_difference
from pipelines.cli.lockfile import is_whole
from pipelines.cli.repro import MORTAL
from pipelines.core.errors import UserError
from pipelines.core.params import load_params, read_yaml
from pipelines.core.project import LOCK_FILE, OUTPUTS

# Of the user's settings for git none must keep it from committing to the scratch copy.
SCRATCH_SETTINGS = (
    "user.name=verify",
    "user.email=verify@localhost",
    "commit.gpgsign=false",
    "core.hooksPath=/dev/null",
)


def verify(domains: list[str]) -> int:
    """Rerun in a scratch copy without a cache; 0 if every output in `dvc.lock` is the same."""
    chosen = chosen_domains(domains)
    expected = _outputs(LOCK_FILE, chosen)
    with tempfile.TemporaryDirectory(prefix="scistage-verify-") as scratch:
        # In folders as deep as this one: relative paths out of the project stay in the scratch.
        copy = Path(scratch, *Path.cwd().parts[1:])
        copy_project(copy)
        for domain in chosen:
            _link_data(domain, copy)
        (copy / LOCK_FILE).unlink(missing_ok=True)
        command = [sys.executable, "-m", "pipelines", "repro", *chosen]
        if subprocess.run(command, cwd=copy, check=False, preexec_fn=MORTAL).returncode:
            raise UserError("verify: the rerun failed (see above)")
        found = _outputs(copy / LOCK_FILE, chosen)
        differing = [path for path, md5 in found.items() if expected.get(path) != md5]
        for path in differing:
            print(f"differs: {path} {first_difference(Path(path), copy / path)}".rstrip())
    missing = sorted(set(expected) - set(found))
    print("\n".join(f"not produced: {path}" for path in missing), end="\n" if missing else "")
    print(f"{len(found) - len(differing)} of {len(found)} outputs are identical to dvc.lock")
    return 1 if differing or missing else 0


def copy_project(to: Path) -> None:
    """Copy what git tracks or would track into a new repository, without caches or outputs."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=False,
    )
    if listed.returncode:  # such as of a folder that belongs to another user
        said = os.fsdecode(listed.stderr).strip()
        raise UserError(f"verify: a clone made by git is needed, but git says: {said}")
    for name in os.fsdecode(listed.stdout).split("\0"):
        if name and Path(name).is_file() and not name.startswith(f"{OUTPUTS}/"):
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(name, to / name)
    # A cache of its own, whatever the project's settings or the user's say.
    (to / ".dvc" / "config.local").write_text("[cache]\n    dir = cache\n", encoding="utf-8")
    git = ["git", *(word for setting in SCRATCH_SETTINGS for word in ("-c", setting))]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "copy"]):
        subprocess.run([*git, *arguments], cwd=to, check=True, env=environment)


def _link_data(domain: str, copy: Path) -> None:
    """Link what the parameters name and git does not track, such as a folder of images."""
    for text in _texts(load_params(domain, "prepare").model_dump()):
        path = Path(text)
        if text and path.exists() and not path.is_absolute():
            _link_missing(path, copy / path)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
    elif isinstance(value, str | Path):
        yield str(value)


def _link_missing(path: Path, link: Path) -> None:
    """Link a file or folder, or what of a folder git tracks only in part."""
    if not link.exists():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path.resolve())
    elif path.is_dir() and not path.resolve().samefile(link):
        for inner in path.iterdir():
            _link_missing(inner, link / inner.name)


def _outputs(lock: Path, domains: list[str]) -> dict[str, str]:
    """Outputs of these domains in a lock file, and their hashes."""
    if not lock.is_file():
        raise UserError(f"{LOCK_FILE}: not found; run `scistage repro` first")
    if not is_whole(lock):
        raise UserError(f"{LOCK_FILE}: damaged; run `scistage repro` first")
    stages = read_yaml(lock)["stages"].items()
    chosen = [stage for name, stage in stages if name.partition("@")[2] in domains]
    return {str(out["path"]): str(out["md5"]) for stage in chosen for out in stage["outs"]}
