"""Which errors are told in one line, and which are the program's own and keep their traceback."""

from __future__ import annotations

import errno
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pipelines.cli.faults import told_of
from pipelines.core.errors import UserError
from tests.workspace import ROOT


def torch_error() -> RuntimeError:
    with pytest.raises(RuntimeError) as raised:
        torch.empty(10**15)
    return raised.value


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UserError("a.csv: empty"), "a.csv: empty"),
        (OSError(errno.ENOSPC, "No space left on device", "x"), "x: No space left on device; free"),
        (OSError("12 requested and 3 written"), "a file was cut short"),
        (ModuleNotFoundError(name="rdkit.Chem"), "the package 'rdkit.Chem' is missing from"),
        (MemoryError("Unable to allocate 3 TiB"), "out of memory (Unable to allocate 3 TiB); give"),
        (torch_error(), "out of memory ("),
        (
            torch.cuda.OutOfMemoryError("CUDA out of memory. Tried"),
            "out of memory on the GPU; give",
        ),
    ],
)
def test_faults_of_the_machine_are_told(error: Exception, said: str) -> None:
    told = told_of(error)
    assert told is not None and told.startswith(said)
    assert "\n" not in told


LIST = [sys.executable, "-m", "pipelines", "preset", "segmentation"]


@pytest.mark.parametrize("buffered", ["", "1"])
def test_nobody_reads_what_is_printed(buffered: str) -> None:
    """As of `scistage preset segmentation | head -1`."""
    read, write = os.pipe()
    os.close(read)
    env = {**os.environ, "PYTHONUNBUFFERED": buffered}
    run = subprocess.run(LIST, stdout=write, stderr=subprocess.PIPE, cwd=ROOT, env=env)
    os.close(write)
    assert (run.returncode, run.stderr) == (128 + signal.SIGPIPE, b"")


def test_what_is_printed_has_no_place() -> None:
    env = {**os.environ, "PYTHONUNBUFFERED": ""}
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(LIST, stdout=full, stderr=subprocess.PIPE, cwd=ROOT, env=env)
    assert run.returncode == 2 and run.stderr.startswith(b"scistage: No space left on device")
    assert run.stderr.count(b"\n") == 1
    command = shlex.join(LIST)
    closed = subprocess.run(["bash", "-c", f"{command} >&-"], stderr=subprocess.PIPE, cwd=ROOT)
    assert (closed.returncode, closed.stderr) == (0, b"")


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("shapes do not fit"),
        KeyError("x"),
        ModuleNotFoundError(name="domains.moss"),
        ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
        EOFError(),
    ],
)
def test_errors_of_the_program_are_not(error: Exception) -> None:
    assert told_of(error) is None


@pytest.mark.parametrize("error", [EOFError("Caught EOFError in DataLoader worker process 0.")])
def test_an_error_in_a_loader_process_is_not_its_end(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setenv("SCISTAGE_WORKERS", "2")
    assert told_of(error) is None


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed."),
        ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
        FileNotFoundError(errno.ENOENT, "No such file or directory"),
        EOFError(),
    ],
)
def test_the_end_of_a_loader_process_has_several_faces(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setenv("SCISTAGE_WORKERS", "2")
    before = signal.getsignal(signal.SIGCHLD)
    try:
        assert str(told_of(error)).startswith("SCISTAGE_WORKERS: ")
    finally:
        signal.signal(signal.SIGCHLD, before)
