"""What `dvc.yaml` declares: the dependencies of a stage, read from it and from nowhere else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from pipelines.core.params import read_yaml
from pipelines.core.project import STAGE_FILE

NOT_CODE = {".md", ".pyc"}


def dependencies(domain: str, stage: str) -> list[Path]:
    """The `deps` of a stage for one domain."""
    listed = read_yaml(STAGE_FILE)["stages"][stage]["deps"]
    return [Path(str(dep).replace("${item.domain}", domain)) for dep in listed]


def digest(paths: list[Path], *texts: str) -> str:
    """SHA-256 over the names and bytes of files and folders, and over texts."""
    total = hashlib.sha256()
    for file in sorted(file for path in paths for file in _files(path)):
        total.update(f"{file.as_posix()}\0{_file_digest(file)}\0".encode())
    for text in texts:
        total.update(text.encode() + b"\0")
    return total.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for file in path.rglob("*"):
        if file.is_file() and file.suffix not in NOT_CODE:
            yield file


def _file_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
