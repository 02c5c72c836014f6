"""`kill -9` at any moment, then the same command: the same bytes, and no orphan."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pipelines.cli.lockfile import RWLOCK, mend_rwlock
from tests.faults.many_kills import IDENTICAL, Victim, command_of, descendants, forget
from tests.workspace import ROOT, Workspace, one_line_error

Started = list[subprocess.Popen[str]]


@pytest.fixture
def started() -> Iterator[Started]:
    """Process groups that a test starts; none outlives it."""
    groups: Started = []
    yield groups
    for process in groups:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_for(condition: Callable[[], object], while_: Callable[[], object] = lambda: True) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert while_() and time.monotonic() < deadline
        time.sleep(0.005)


def children(process: subprocess.Popen[str], name: str) -> list[psutil.Process]:
    """The running descendants whose command line holds a word."""
    return [child for child in descendants(process) if name in command_of(child)]


def is_stopped(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False


def start_and_pause(
    workspace: Workspace, started: Started, pause: str
) -> tuple[subprocess.Popen[str], psutil.Process]:
    """`scistage repro`, and the stage in it that has come to this pause and stands still."""
    pausing = {"PYTHONPATH": str(ROOT / "tests/faults/pause"), "PAUSE": pause}
    process = workspace.start("repro", SHELL="/bin/sh", **pausing)  # dash forks where bash execs
    started.append(process)
    found: list[psutil.Process] = []

    def stands() -> bool:
        found[:] = filter(is_stopped, children(process, "-m pipelines"))
        return bool(found)

    wait_for(stands, lambda: process.poll() is None)
    return process, found[-1]


PUBLISHING = "1:{}.partial"
TRAINING = "2:network/last.part"  # one epoch is saved


def test_a_training_that_is_asked_to_end_does_not_say_that_all_went_well(
    spectra: Workspace, started: Started
) -> None:
    """Lightning answers SIGTERM with exit code 0, after which a script would go on."""
    params = spectra.path / "params.yaml"
    params.write_text(re.sub(r"(?m)^    epochs: \d+", "    epochs: 100000", params.read_text()))
    for number in (signal.SIGTERM, signal.SIGINT):
        process = spectra.start("train", "spectra")
        started.append(process)
        assert process.stdout is not None
        assert any("epoch" in line for line in process.stdout)
        process.send_signal(number)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 2
        assert said.splitlines()[-1].startswith("scistage: interrupted; the same command goes on")
        assert "Traceback" not in said


@pytest.mark.parametrize(
    "stage, pause",
    [
        ("prepare", PUBLISHING.format("prepare")),
        ("train", TRAINING),
        ("evaluate", PUBLISHING.format("evaluate")),
        ("report", PUBLISHING.format("report")),
    ],
)
def test_killed_with_all_its_processes(
    spectra: Workspace, started: Started, stage: str, pause: str
) -> None:
    outputs, lock = spectra.tree("outputs"), spectra.read("dvc.lock")
    forget(spectra, "spectra", stage)
    process, _ = start_and_pause(spectra, started, pause)
    processes = descendants(process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not any(command_of(child) for child in processes))
    run = spectra.run("repro")
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"Running stage '{stage}@spectra'" in run.stdout
    assert spectra.read("dvc.lock") == lock
    assert spectra.tree("outputs") == outputs


def test_killed_at_random_moments(spectra: Workspace) -> None:
    """A sample of `make faults`."""
    victim = Victim(spectra)
    kills = [victim.kill("", "spectra", "evaluate", number) for number in (1, 3)]
    assert [kill.found for kill in kills] == [IDENTICAL, IDENTICAL]
    victim.outputs["spectra/evaluate/metrics.json"] = b"{}"
    with subprocess.Popen(["true"]) as ended:
        found = victim._after_kill(ended, [], "spectra")
    assert "differs: spectra/evaluate/metrics.json" in found


def test_dvc_killed_alone_takes_the_stage_with_it(spectra: Workspace, started: Started) -> None:
    outputs, lock = spectra.tree("outputs"), spectra.read("dvc.lock")
    forget(spectra, "spectra", "evaluate")
    forgotten = spectra.read("dvc.lock")
    process, stage = start_and_pause(spectra, started, PUBLISHING.format("evaluate"))
    (dvc,) = [child for child in children(process, "-m dvc") if child.ppid() == process.pid]
    os.truncate(spectra.path / "dvc.lock", 3000)  # as if it had been writing its lock
    dvc.kill()
    wait_for(lambda: not command_of(stage))  # dead, even where nobody reaps the orphan
    process.wait(30)
    assert not (spectra.path / "outputs/spectra/evaluate/metrics.json").exists()
    assert spectra.read("dvc.lock") == forgotten
    assert spectra.run("repro").returncode == 0
    assert spectra.read("dvc.lock") == lock
    assert spectra.tree("outputs") == outputs


def test_a_stage_killed_alone_leaves_the_last_good_outputs(
    spectra: Workspace, started: Started
) -> None:
    outputs = spectra.tree("outputs/spectra")
    spectra.set_param("spectra.evaluate.seed", "5")
    process, stage = start_and_pause(spectra, started, PUBLISHING.format("evaluate"))
    stage.kill()
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2 and "scistage: a stage failed" in said, said
    assert spectra.tree("outputs/spectra") == outputs
    spectra.set_param("spectra.evaluate.seed", "0")
    assert "Running stage" not in spectra.run("repro").stdout


def test_a_second_run_at_the_same_time_is_refused(spectra: Workspace, started: Started) -> None:
    outputs, lock = spectra.tree("outputs"), spectra.read("dvc.lock")
    forget(spectra, "spectra", "evaluate")
    process, stage = start_and_pause(spectra, started, PUBLISHING.format("evaluate"))
    assert "evaluate of spectra is running" in one_line_error(spectra.run("evaluate", "spectra"))
    assert "scistage repro is running" in one_line_error(spectra.run("repro"))
    stage.resume()
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert spectra.read("dvc.lock") == lock
    assert spectra.tree("outputs") == outputs


def test_a_truncated_rwlock_is_mended(spectra: Workspace) -> None:
    (spectra.path / ".dvc/tmp").mkdir(exist_ok=True)
    (spectra.path / ".dvc/tmp/rwlock").write_bytes(b'{"write": {"outputs/spectra/tr')
    plain = spectra.process(["dvc", "repro"])
    assert plain.returncode != 0, "DVC mends it by itself: ours can go"
    run = spectra.run("repro")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Running stage" not in run.stdout


def test_a_truncated_lock_is_written_anew_from_the_cache(spectra: Workspace) -> None:
    outputs, lock = spectra.tree("outputs"), spectra.read("dvc.lock")
    (spectra.path / "dvc.lock").write_bytes(lock[: len(lock) // 2])
    run = spectra.run("repro")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "dvc.lock: cut short" in run.stdout
    assert "Running stage 'train@spectra'" not in run.stdout
    assert spectra.read("dvc.lock") == lock
    assert spectra.tree("outputs") == outputs


def rwlock_of(pid: int) -> str:
    info = {"pid": pid, "cmd": "dvc repro"}
    return json.dumps({"write": {"outputs/a": info}, "read": {"domains/a": [info]}})


def test_the_rwlock_of_a_live_dvc_alone_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mend_rwlock()  # no file, no harm
    RWLOCK.parent.mkdir(parents=True)
    dvc = subprocess.Popen([sys.executable, "-c", "input()", "dvc"], stdin=subprocess.PIPE)
    try:
        RWLOCK.write_text(rwlock_of(dvc.pid))
        mend_rwlock()
        assert RWLOCK.read_text() == rwlock_of(dvc.pid)
        dvc.kill()
        wait_for(lambda: not command_of(psutil.Process(dvc.pid)))  # a zombie: nobody has waited
        mend_rwlock()
        assert not RWLOCK.exists()
    finally:
        dvc.kill()
        dvc.communicate()
    for left_behind in (rwlock_of(os.getpid()), '{"write"', "[]"):  # a number now another's
        RWLOCK.write_text(left_behind)
        mend_rwlock()
        assert not RWLOCK.exists()
