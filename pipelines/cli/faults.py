"""What a user is told of an error: one line, if it is his mistake or his machine's fault."""

from __future__ import annotations

import errno
import signal
import sys

from pipelines.core.environment import environment
from pipelines.core.errors import UserError

_LESS = "give less at a time, or free some memory"
_LOADER = (
    "SCISTAGE_WORKERS: a loader process was ended from outside, often for lack of memory; lower "
    "it, and run the same command again"
)
_MACHINE: dict[int | None, str] = {
    errno.ENOSPC: "free some space and run the same command again",
    errno.EDQUOT: "free some of your quota and run the same command again",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f) and run the same command again",
    errno.EXDEV: "keep outputs/ and .work/ on one file system",
    errno.EACCES: "check the permissions of that path",
    errno.EPERM: "check the permissions and attributes of that path",
    errno.EROFS: "the file system is read-only; make it writable",
    errno.ENOTDIR: "a file is where a folder belongs; move it away",
    errno.EEXIST: "a file is where a folder belongs; move it away",
    errno.EISDIR: "a folder is where a file belongs; move it away",
    errno.ENOENT: "put it back; what is below outputs/ `scistage repro` writes again",
    errno.ELOOP: "a link that leads back to itself; remove it",
    errno.ENAMETOOLONG: "give a shorter name",
}


def told_of(error: Exception) -> str | None:
    """The line; None for an error of the program's own."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        return _missing(error)
    if _is_of_a_loader(error):
        # PyTorch's own handler would raise it once more, while Python ends.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        return _LOADER
    if isinstance(error, OSError):
        return _machine(error)
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return f"out of memory ({' '.join(str(error).split())[:200]}); {_LESS}"
    if "CUDA out of memory" in str(error):
        return f"out of memory on the GPU; {_LESS}"
    return None


def _missing(error: ModuleNotFoundError) -> str | None:
    if (error.name or "").split(".")[0] in {"pipelines", "domains"}:
        return None
    return (
        f"the package {error.name!r} is missing from {sys.executable}; "
        "activate the project's environment (. .venv/bin/activate) or use `make repro`"
    )


def _is_of_a_loader(error: Exception) -> bool:
    """A batch comes through a socket: how its end is noticed depends on the moment."""
    if isinstance(error, RuntimeError):
        return str(error).startswith("DataLoader worker")
    lost = isinstance(error, ConnectionResetError | ConnectionRefusedError | EOFError)
    lost = lost or (isinstance(error, FileNotFoundError) and error.filename is None)
    of_its_code = str(error).startswith("Caught ")  # raised in a loader process, and told by it
    return lost and not of_its_code and environment().workers > 0


def _machine(error: OSError) -> str | None:
    if error.errno is None and str(error).endswith(" written"):  # as NumPy puts it
        return f"a file was cut short ({error}); {_MACHINE[errno.ENOSPC]}"
    if error.errno not in _MACHINE:
        return None
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror}; {_MACHINE[error.errno]}"
