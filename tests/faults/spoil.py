"""What can be done to a good project, so that a command must refuse it."""

from __future__ import annotations

import gzip
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.data.sources import Wheel
from tests.workspace import write_param

BOMB = "a decompression bomb or a damaged header"  # of a picture

Spoil = Callable[[Path], None]  # of the project in this folder


class Case(NamedTuple):
    """What is done to a good project, the command, and what its one line names, in this order."""

    spoil: Spoil
    command: str
    said: tuple[str, ...]


def nothing(project: Path) -> None:
    """The command itself is the mistake."""


def both(*spoils: Spoil) -> Spoil:
    def apply(project: Path) -> None:
        for spoil in spoils:
            spoil(project)

    return apply


def param(dotted: str, value: Any) -> Spoil:
    """Set `domain.stage.key` in params.yaml."""
    return lambda project: write_param(project, dotted, value)


def replaced(name: str, old: str, new: str) -> Spoil:
    """Another piece of text in a file, the first time that it occurs."""

    def write(project: Path) -> None:
        text = (project / name).read_text()
        assert old in text
        (project / name).write_text(text.replace(old, new, 1))

    return write


def written(name: str | bytes, content: bytes | str) -> Spoil:
    def write(project: Path) -> None:
        path = project / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    return write


def cut(name: str, size: int) -> Spoil:
    """A truncated file."""
    return lambda project: os.truncate(project / name, size)


def removed(name: str) -> Spoil:
    return lambda project: (project / name).unlink()


def folder(name: str) -> Spoil:
    """A folder in place of a file."""

    def make(project: Path) -> None:
        (project / name).unlink(missing_ok=True)
        (project / name).mkdir()

    return make


def linked(name: str, to: str) -> Spoil:
    def link(project: Path) -> None:
        (project / name).unlink(missing_ok=True)
        (project / name).symlink_to(to)

    return link


def pipe(name: str) -> Spoil:
    """A named pipe in place of a file: whoever reads it waits forever."""

    def make(project: Path) -> None:
        (project / name).unlink(missing_ok=True)
        os.mkfifo(project / name)

    return make


def grown(name: str, head: bytes, again: bytes, times: int) -> Spoil:
    """A decompression bomb of gzip: a head, and many times the same."""

    def write(project: Path) -> None:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(project / name, "wb", compresslevel=6) as stream:
            stream.write(head)
            for _ in range(64):
                stream.write(again * (times // 64))

    return write


def tampered(wheel: Wheel) -> Spoil:
    """On the mirror an archive of the right size, with a member that leaves its folder."""

    def write(project: Path) -> None:
        path = project / "mirror" / wheel.name / wheel.file_name
        path.parent.mkdir(parents=True)
        with zipfile.ZipFile(path, "w") as archive:
            for member in (*wheel.files, "../../../evil", "/evil"):
                archive.writestr(member, b"evil")
        os.truncate(path, wheel.size)

    return write


def png(width: int, height: int, data: bytes = b"", chunks: bytes = b"") -> bytes:
    """A PNG of 8-bit grey with this header, whatever it holds."""
    import zlib

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + chunks + body


def tiff(width: int, height: int, following: int = 0) -> bytes:
    """A TIFF of one strip with this header; following: where the next page is said to be."""
    tags = [(256, width), (257, height), (258, 8), (259, 8), (262, 1), (273, 8), (277, 1)]
    tags += [(278, height), (279, 4)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    ifd = struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)
    return b"II*\0" + struct.pack("<I", 12) + b"\0" * 4 + ifd
