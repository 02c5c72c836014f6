"""Malformed input of every kind to every domain: one line that names file and field, exit code 2,
and nothing is written: neither below outputs/ nor among the user's files."""

from __future__ import annotations

import csv
import os
import resource
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from domains.screening.predict.apply import _is_formula
from pipelines.cli.main import main
from tests.faults import cases_molecules, cases_retina, cases_screening, cases_segmentation
from tests.faults.cases_common import APPLY, common
from tests.faults.cases_weights import cut_lock, other_training, weights
from tests.faults.projects import project, tree
from tests.faults.spoil import Case
from tests.imports import DOMAINS
from tests.workspace import ROOT

CASES: dict[str, dict[str, Case]] = {
    "segmentation": cases_segmentation.CASES,
    "molecules": cases_molecules.CASES,
    "retina": cases_retina.CASES,
    "screening": cases_screening.CASES,
}
LISTED = [
    pytest.param(domain, case, id=f"{domain}-{name}")
    for domain, own in CASES.items()
    for name, case in {**common(domain), **own}.items()
]
WEIGHTS = [
    pytest.param(domain, Case(spoil, command, said), id=f"{domain}-{name}-{command.split()[0]}")
    for domain in CASES
    for name, (spoil, said) in weights(domain).items()
    for command in (APPLY[domain], f"predict {domain}")
]
WEIGHTS += [
    pytest.param(domain, Case(spoil, command, said), id=f"{domain}-{name}-{command.split()[0]}")
    for domain in CASES
    for name, (spoil, said) in {
        "hash": other_training(domain),
        "cut lock": cut_lock(domain),
    }.items()
    for command in (APPLY[domain], f"export {domain} -o model")
]
MEMORY = 600 * 2**10  # KiB that a refusal may take beside what was taken before

Make = Callable[[str], Path]


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """A project of a domain, made once; read only."""
    made: dict[str, Path] = {}

    def make(domain: str) -> Path:
        if domain not in made:
            with redirect_stderr(StringIO()):  # a test reads what is said to its own command alone
                made[domain] = project(domain, tmp_path_factory.mktemp(domain) / "project")
        return made[domain]

    return make


@pytest.fixture
def mine(pristine: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A project of one's own, the current folder, without network and cache."""
    settings = {"THREADS": "1", "CACHE": str(tmp_path / "cache")}
    settings["DATA_MIRROR"] = str(tmp_path / "project" / "mirror")
    for name, value in settings.items():
        monkeypatch.setenv(f"SCISTAGE_{name}", value)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(sys, "path", list(sys.path))

    def make(domain: str) -> Path:
        shutil.copytree(pristine(domain), tmp_path / "project")
        monkeypatch.chdir(tmp_path / "project")
        return tmp_path / "project"

    return make


def test_there_are_enough_cases() -> None:
    assert set(CASES) <= set(DOMAINS)
    assert all(len(own) >= 15 for own in CASES.values())
    assert len(LISTED) + len(WEIGHTS) >= 60


@pytest.mark.parametrize("domain, case", [*LISTED, *WEIGHTS])
def test_one_line_and_nothing_written(
    domain: str, case: Case, mine: Make, capfd: pytest.CaptureFixture[str]
) -> None:
    path = mine(domain)
    case.spoil(path)
    before, memory = tree(path), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    code = main(shlex.split(case.command))
    said = capfd.readouterr().err
    assert code == 2 and said.startswith("scistage: "), said
    assert said.endswith("\n") and said[:-1].isprintable() and len(said) < 1100, said
    place = 0
    for part in case.said:
        assert part in said[place:], said
        place = said.index(part, place)
    assert tree(path) == before
    assert not list(path.glob(".work/*/*.partial")) and not (path.parent / "cache").exists()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < MEMORY


LIMITED = 'ulimit -v 4000000; exec "$@"'  # KiB of address space


@pytest.mark.parametrize(
    "domain, name", [("segmentation", "a TIFF bomb"), ("molecules", "gzip bomb")]
)
def test_a_bomb_in_a_process_that_has_little_memory(domain: str, name: str, mine: Make) -> None:
    path, case = mine(domain), CASES[domain][name]
    case.spoil(path)
    run = _process(path, ["bash", "-c", LIMITED, "limited", *SCISTAGE, *shlex.split(case.command)])
    assert (run.returncode, run.stdout) == (2, b"")
    assert run.stderr.startswith(b"scistage: ") and run.stderr.count(b"\n") == 1
    assert case.said[-1] in run.stderr.decode()


def test_names_that_are_no_text_may_be_written_to(mine: Make) -> None:
    path = mine("screening")
    run = _process(path, [*SCISTAGE, "apply", "screening", "data/library.csv", "-o", b"\xe9.csv"])
    assert run.returncode == 0, run.stderr
    assert run.stdout.endswith(b"\\udce9.csv written\n")
    assert (path / os.fsdecode(b"\xe9.csv")).is_file()


SCISTAGE = [sys.executable, "-m", "pipelines"]


def _process(path: Path, command: list[Any]) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    return subprocess.run(command, cwd=path, env=environment, capture_output=True, check=False)


FORMULAS = """smiles,=1+1,note
CCO,-1.5,"-)-menthol"
=O,+2e3,-
C=C,@SUM(1),"=cmd|' /C calc'!A0"
-C,+,=HYPERLINK(1)
"""


def test_a_formula_is_kept_and_told(mine: Make, capfd: pytest.CaptureFixture[str]) -> None:
    """Of the user's own fields nothing is changed, and of ours none is a formula."""
    path = mine("screening")
    (path / "a.csv").write_text(FORMULAS)
    assert main(["apply", "screening", "a.csv", "-o", "out.csv"]) == 0
    [warning] = capfd.readouterr().err.splitlines()
    assert warning.startswith(f"warning: {path}/a.csv: row 1: '=1+1': '=1+1' is a formula to a")
    with (path / "out.csv").open(newline="") as stream:
        header, *rows = csv.reader(stream)
    given = list(csv.reader(FORMULAS.splitlines()))
    assert [header[:3], *(row[:3] for row in rows)] == given
    assert not any(_is_formula(field) for row in [header, *rows] for field in row[3:])
    assert [bool(row[-1]) for row in rows] == [False, True, False, True]


@pytest.mark.parametrize(
    "text, so", [("-1.5", 0), ("+2e3", 0), ("-", 0), ("", 0), ("=O", 1), ("-C", 1), ("@x", 1)]
)
def test_what_a_spreadsheet_takes_for_a_formula(text: str, so: int) -> None:
    assert _is_formula(text) == bool(so)
