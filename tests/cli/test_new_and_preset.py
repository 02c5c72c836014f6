"""`new` and `preset` edit `params.yaml` as a careful person would."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from tests.imports import DOMAINS
from tests.once import built_once
from tests.workspace import Workspace, one_line_error


@pytest.fixture
def fresh(tmp_path: Path) -> Workspace:
    """The project as shipped."""
    return Workspace.create(tmp_path / "project")


@pytest.fixture
def with_spectra(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Workspace:
    def build(path: Path) -> None:
        Workspace.create(path).run("new", "spectra").check_returncode()

    return Workspace(built_once(tmp_path_factory, "new", build)).clone(tmp_path / "spectra")


def params(workspace: Workspace) -> str:
    return (workspace.path / "params.yaml").read_text(encoding="utf-8")


def changed_lines(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[0] in "+-" and line[:3] not in ("+++", "---")]


def test_new_adds_a_line_and_a_section_and_touches_nothing_else(fresh: Workspace) -> None:
    before, stage_file = params(fresh), fresh.read("dvc.yaml")
    said = fresh.run("new", "spectra").stdout
    assert said.startswith("domains/spectra: written; run `scistage repro spectra`")
    changes = changed_lines(before, params(fresh))
    assert changes[0] == "+- spectra"
    assert changes[1:3] == ["+", "+spectra:"]
    assert all(line[0] == "+" for line in changes)
    assert params(fresh).startswith(before.split("\n\n")[0])
    assert "# absorbance" in params(fresh)
    assert fresh.read("dvc.yaml") == stage_file
    assert (fresh.path / "domains/spectra/README.md").is_file()
    assert not (fresh.path / "domains/spectra/params.yaml").exists()
    checked = fresh.run("check", "spectra")
    assert checked.stdout == "spectra: parameters and source are valid (0 source files)\n"


def test_new_refuses_bad_and_taken_names(fresh: Workspace) -> None:
    before = params(fresh)
    names = ["Spectra", "my-data", "2d", "a b", "", "../x", "é", "class"]
    names += ["domains", "item", "key", "null"]
    for name, run in zip(names, fresh.run_many(*[["new", name] for name in names]), strict=True):
        assert f"{name!r}: " in one_line_error(run)
    assert "there is a domain of that name already" in one_line_error(fresh.run("new", DOMAINS[0]))
    (fresh.path / "domains/taken").mkdir()
    assert "domains/taken: there is" in one_line_error(fresh.run("new", "taken"))
    assert params(fresh) == before
    (fresh.path / "params.yaml").write_text(f"{before}\nstray: {{}}\n")
    assert "stray: there is a section of that name" in one_line_error(fresh.run("new", "stray"))
    folders = {p.name for p in (fresh.path / "domains").iterdir() if p.is_dir()} - {"__pycache__"}
    assert folders == {*DOMAINS, "taken"}


@pytest.mark.parametrize("domain", [*DOMAINS, "spectra"])
def test_presets_there_and_back_give_the_same_bytes(with_spectra: Workspace, domain: str) -> None:
    before = params(with_spectra)
    to_tiny, again, back = with_spectra.run_many(
        ["preset", domain, "tiny"], ["preset", domain, "tiny"], ["preset", domain, "quick"]
    )
    assert again.stdout == f"{domain}: params.yaml is at preset tiny already\n"
    assert to_tiny.stdout.splitlines()
    assert len(back.stdout.splitlines()) == len(to_tiny.stdout.splitlines())
    assert params(with_spectra) == before


def test_preset_prints_what_it_changes_and_keeps_comments(with_spectra: Workspace) -> None:
    before = params(with_spectra)
    said = with_spectra.run("preset", "spectra", "tiny").stdout.splitlines()
    assert said == [
        "spectra.prepare.train: 800 → 60",
        "spectra.prepare.validation: 200 → 20",
        "spectra.prepare.test: 400 → 40",
        "spectra.train.epochs: 30 → 2",
    ]
    changes = changed_lines(before, params(with_spectra))
    assert len(changes) == 2 * len(said)
    assert sum("# spectra" in line for line in changes) == 2
    listed = with_spectra.run("preset", "spectra").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["full", "quick", "tiny"]
    assert listed[2].endswith("seconds, for tests")


def test_preset_refuses_what_it_does_not_know(with_spectra: Workspace) -> None:
    broken = with_spectra.path / "domains/spectra/presets"
    (broken / "wrong.yaml").write_text("# out of range\ntrain:\n  epochs: 0\n")
    (broken / "stray.yaml").write_text("# no such key\ntrain:\n  depth: 2\n")
    (broken / "empty.yaml").touch()
    before = params(with_spectra)
    unknown, domain, wrong, stray, empty, listed = with_spectra.run_many(
        ["preset", "spectra", "huge"],
        ["preset", "nothing", "tiny"],
        ["preset", "spectra", "wrong"],
        ["preset", "spectra", "stray"],
        ["preset", "spectra", "empty"],
        ["preset", "spectra"],
    )
    assert "no preset 'huge'; presets are: empty, full, quick" in one_line_error(unknown)
    assert "no domain 'nothing'; params.yaml lists: " in one_line_error(domain)
    assert "spectra.train.epochs: found 0" in one_line_error(wrong)
    assert "spectra.train.depth: missing, and domains/spectra/presets/stray.yaml sets it" in (
        one_line_error(stray)
    )
    assert "presets/empty.yaml: found None; a mapping of stages" in one_line_error(empty)
    assert listed.stdout.splitlines()[0] == "empty"
    assert params(with_spectra) == before


def test_a_listed_domain_without_a_section(with_spectra: Workspace) -> None:
    text = params(with_spectra).replace("\nspectra:\n", "\nspectr:\n")
    (with_spectra.path / "params.yaml").write_text(text)
    for run in with_spectra.run_many(["preset", "spectra", "tiny"], ["check", "spectra"]):
        assert "spectr" in one_line_error(run)
