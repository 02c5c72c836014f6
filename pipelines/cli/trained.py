"""What `apply` and `export` share: a domain's own part of them, and the folder to write to."""

from __future__ import annotations

import importlib
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

from pipelines.core.errors import UserError


def part_of(domain: str, name: str, cannot: str) -> ModuleType:
    """The module `predict/<name>.py` of a domain.

    Raises:
        UserError: it has none; `cannot` says what therefore cannot be done.
    """
    module = f"domains.{domain}.predict.{name}"
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise UserError(f"{domain}: {cannot}; it has no predict/{name}.py") from None


@contextmanager
def partial_folder(folder: Path) -> Iterator[Path]:
    """A passing folder in the one to write to, of which nothing is left after a mistake or SIGTERM.

    Raises:
        UserError: the folder to write to cannot be made or written to.
    """
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise UserError(
                f"{folder}: cannot be written to ({error.strerror}); name another"
            ) from None
        with tempfile.TemporaryDirectory(dir=folder, prefix=".partial-") as partial:
            yield Path(partial)
    except BaseException:
        for made in missing:
            with suppress(OSError):
                made.rmdir()
        raise
