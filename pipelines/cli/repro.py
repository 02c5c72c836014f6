"""`scistage repro`: `dvc repro`, with nothing lost when a stage fails or is killed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipelines.cli.check import Files, check_domains, chosen_domains
from pipelines.cli.dvc import DVC, dvc_environment, require_repository
from pipelines.cli.lockfile import (
    keep_lock,
    mend_lock,
    mend_rwlock,
    prefer_recorded,
    recorded_stages,
    write_canonical_lock,
)
from pipelines.core.artifacts import read_json
from pipelines.core.contract import STAGES
from pipelines.core.errors import UserError
from pipelines.core.project import OUTPUTS, WORK
from pipelines.core.runner import alone, set_death_signal

GIT_TRACKED = ("metrics.json", "scores.csv")
# What a process is told that is to end when the one that started it does.
MORTAL = set_death_signal if sys.platform == "linux" else None


def repro(domains: list[str], force: bool, jobs: int) -> int:
    """Check everything, run DVC, and leave lock, outputs and overview in order.

    Raises:
        UserError: a mistake found before DVC starts, or a stage that failed.
    """
    if jobs < 1:
        raise UserError(f"--jobs: found {jobs}; give a whole number of at least 1")
    chosen = chosen_domains(domains)
    require_repository()
    sources = check_domains(chosen)
    with alone(WORK / "repro.lock", "scistage repro"), _kept_scores(chosen) as keep:
        mend_rwlock()
        mend_lock()
        keep_lock()
        there = [f for d in chosen for s in STAGES if (f := OUTPUTS / d / s).is_dir()]
        failed = _run_dvc(chosen, sources, force, jobs)
        mend_lock()  # DVC alone may have been killed
        write_canonical_lock()
        if failed:
            _put_back(chosen)
            keep()
            lost = [str(folder) for folder in there if not folder.is_dir()]
            but = f", but for {', '.join(lost)}: not in DVC's cache" if lost else ""
            raise UserError(f"{failed} failed (see above); the last good outputs are back{but}")
        if force:
            prefer_recorded(chosen)
    _write_overview()
    return 0


def _run_dvc(domains: list[str], sources: dict[str, Files], force: bool, jobs: int) -> str | None:
    """The name of what failed, or None."""
    failed = None if force else _prepare_changed(domains, sources)
    failed = failed or _run_stages(domains, ["--force"] if force else [], jobs)
    if not failed and any(_source_changed(domain, sources[domain]) for domain in domains):
        # DVC's cache of runs does not know the user's files: what it brought back is of others.
        failed = _prepare_changed(domains, sources) or _run_stages(domains, [], jobs)
    return failed


def _prepare_changed(domains: list[str], sources: dict[str, Files]) -> str | None:
    """Prepare those whose files are others than they were; the name of what failed, or None."""
    for domain in domains:
        if _source_changed(domain, sources[domain]):
            print(f"{domain}: the files of its source have changed: preparing them anew")
            if _dvc(["repro", "--force", "--single-item", f"prepare@{domain}"]):
                return f"prepare@{domain}"
    return None


def _run_stages(domains: list[str], options: list[str], jobs: int) -> str | None:
    """The name of what failed, or None."""
    if jobs == 1:
        failed = _dvc(["repro", *options, *(f"report@{domain}" for domain in domains)])
        return "a stage" if failed else None
    waiting, failures = list(domains), []
    running: dict[str, subprocess.Popen[bytes]] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            domain = waiting.pop(0)
            running[domain] = _start(["--wait-for-lock", "repro", *options, f"report@{domain}"])
        domain = _first_to_end(running)
        if running.pop(domain).returncode:
            failures.append(domain)
            waiting = []  # as without --jobs, what has not begun does not begin
    return ", ".join(failures) or None


def _put_back(domains: list[str]) -> None:
    """Bring back the outputs of dvc.lock; one that DVC will not replace keeps no other from it."""
    stages = recorded_stages(domains)
    if stages and _dvc(["checkout", "--quiet", *stages], quiet=True):
        for stage in stages:
            _dvc(["checkout", "--quiet", stage], quiet=True)


def _source_changed(domain: str, files: Files) -> bool:
    """Whether the user's files are not those on the card: DVC does not watch them."""
    card = OUTPUTS / domain / "prepare" / "card.json"
    try:
        return card.is_file() and read_json(card)["source"]["files"] != files
    except (UserError, LookupError, TypeError):
        return False  # a damaged card: DVC sees that it is not what it was


def _start(arguments: list[str], quiet: bool = False) -> subprocess.Popen[bytes]:
    sink = subprocess.DEVNULL if quiet else None
    return subprocess.Popen(
        [*DVC, *arguments],
        env=dvc_environment(),
        stdout=sink,
        stderr=sink,
        preexec_fn=MORTAL,
    )


def _dvc(arguments: list[str], quiet: bool = False) -> int:
    return _wait(_start(arguments, quiet))


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Exit status; Ctrl-C reaches DVC too, whose outputs can be put back once it has ended."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def _first_to_end(running: dict[str, subprocess.Popen[bytes]]) -> str:
    """The domain whose process has ended; Ctrl-C as for `_wait`."""
    while True:
        for domain, process in running.items():
            if process.poll() is not None:
                return domain
        with suppress(KeyboardInterrupt):
            time.sleep(0.1)


@contextmanager
def _kept_scores(domains: list[str]) -> Iterator[Callable[[], None]]:
    """Copies of the git-tracked scores, which DVC deletes before it runs `evaluate`.

    Copies that a killed run left are kept: what they are copies of may be gone.
    """
    copies = WORK / ".scores"  # no domain can have this name
    own = [copies / domain for domain in domains]
    kept = [OUTPUTS / domain / "evaluate" / name for domain in domains for name in GIT_TRACKED]
    for path in (path for path in kept if path.is_file()):
        copy = copies / path.relative_to(OUTPUTS)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)

    def put_back() -> None:
        for path in kept:
            copy = copies / path.relative_to(OUTPUTS)
            if copy.is_file() and not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(copy, path)
        _remove(own)

    yield put_back
    _remove(own)


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _write_overview() -> None:
    from pipelines.report.overview import refresh

    for domain in refresh():
        print(f"{domain}: {OUTPUTS / domain / 'report' / 'index.html'}")
    print(f"all domains: {OUTPUTS / 'index.html'}")
