"""`doctor` and `verify`: is this machine, and are these outputs, what they should be?"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest
from pydantic import RootModel

from pipelines.cli import verify
from pipelines.core.params import read_yaml
from tests.workspace import Workspace, one_line_error


def test_doctor_shows_the_machine_and_names_a_broken_pin(spectra: Workspace) -> None:
    pins = spectra.path / "constraints.txt"
    pins.write_text(f"{pins.read_text()}no-such-package==1.0\n")
    run = spectra.run("doctor", SCISTAGE_THREADS="3", SCISTAGE_CACHE="/somewhere")
    shown = {line.split()[0]: line.split()[1:] for line in run.stdout.splitlines()}
    assert {"torch", "pytorch-lightning", "dvc", "instructions", "accelerator"} <= set(shown)
    assert (shown["threads"], shown["cache"]) == (["3"], ["/somewhere"])
    assert shown["no-such-package"] == ["missing", "pinned:", "1.0"]
    assert run.returncode == 1
    assert "packages are not as pinned: run `make setup`" in run.stdout.splitlines()[-1]


def test_a_run_elsewhere_gives_the_same_outputs_and_an_edited_hash_is_noticed(
    spectra: Workspace,
) -> None:
    lock = spectra.path / "dvc.lock"
    hashes = {o["path"]: o["md5"] for s in read_yaml(lock)["stages"].values() for o in s["outs"]}
    edited = "outputs/spectra/predict"
    lock.write_text(lock.read_text().replace(hashes[edited], f"{'0' * 32}.dir"))
    shared = spectra.path / ".dvc/cache"  # of other projects too: it holds these runs
    spectra.process(["dvc", "config", "cache.dir", str(shared)]).check_returncode()
    run = spectra.run("verify", "spectra", SCISTAGE_WORKERS="1")
    last = run.stdout.splitlines()
    assert run.returncode == 1, run.stdout + run.stderr
    assert "skipping run" not in run.stdout and "Running stage 'train@spectra'" in run.stdout
    assert [line for line in last if "differs" in line] == [f"differs: {edited}"]
    assert last[-1] == f"{len(hashes) - 1} of {len(hashes)} outputs are identical to dvc.lock"


def test_verify_compares_every_output(
    finished_spectra: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The comparison alone: the rerun is replaced by a copy of what the workspace holds."""
    project = finished_spectra.clone(tmp_path / "project").path

    def rerun(command: list[str], cwd: Path, **_: object) -> subprocess.CompletedProcess[str]:
        shutil.copytree(project / "outputs", cwd / "outputs")
        (cwd / "dvc.lock").write_bytes(finished_spectra.read("dvc.lock"))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.chdir(project)
    monkeypatch.setattr(verify, "_link_data", lambda domain, copy: None)
    monkeypatch.setattr(verify, "copy_project", partial(Path.mkdir, parents=True))
    monkeypatch.setattr(verify.subprocess, "run", rerun)
    assert verify.verify(["spectra"]) == 0
    assert capsys.readouterr().out == "11 of 11 outputs are identical to dvc.lock\n"
    lock = Path("dvc.lock")
    lock.write_text(lock.read_text().replace("outputs/spectra/train/history", "outputs/spectra/x"))
    assert verify.verify([]) == 1
    said = capsys.readouterr().out
    assert "differs: outputs/spectra/train/history.csv" in said
    assert "not produced: outputs/spectra/x.csv" in said


def test_verify_fails_where_an_output_is_missing_and_the_others_agree(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = iter([{"outputs/a/x": "1", "outputs/a/y": "2"}, {"outputs/a/x": "1"}])
    done = subprocess.CompletedProcess([], 0)
    monkeypatch.setattr(verify, "chosen_domains", lambda domains: ["a"])
    monkeypatch.setattr(verify, "copy_project", partial(Path.mkdir, parents=True))
    monkeypatch.setattr(verify, "_link_data", lambda domain, copy: None)
    monkeypatch.setattr(verify.subprocess, "run", lambda *_, **__: done)
    monkeypatch.setattr(verify, "_outputs", lambda lock, domains: next(outputs))
    assert verify.verify([]) == 1
    assert "not produced: outputs/a/y" in capsys.readouterr().out


def test_verify_links_data_that_git_does_not_track(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, copy = tmp_path / "a/project", tmp_path / "scratch/a/project"
    for folder in (project, copy, tmp_path / "data", project / "mine", project / "domains"):
        folder.mkdir(parents=True)
    (project / "more").mkdir()
    named = {"path": "mine", "library_path": "../../data", "n": 3, "none": "", "null": None}
    named["inner"] = {"paths": ["more", "domains/nothing"]}
    monkeypatch.chdir(project)
    monkeypatch.setattr(verify, "load_params", lambda *_: RootModel(named))
    verify._link_data("spectra", copy)
    assert (copy / "mine").resolve() == project / "mine"
    assert (copy / "../../data").resolve() == tmp_path / "data"
    assert sorted(path.name for path in copy.iterdir()) == ["mine", "more"]


def test_verify_links_what_git_does_not_track_of_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, copy = tmp_path / "project", tmp_path / "copy"
    for folder in (project / "mine/images", copy / "mine"):
        folder.mkdir(parents=True)
    for folder in (project, copy):
        (folder / "mine/groups.csv").touch()  # tracked
    monkeypatch.chdir(project)
    monkeypatch.setattr(verify, "load_params", lambda *_: RootModel({"path": "mine"}))
    verify._link_data("spectra", copy)
    assert (copy / "mine/images").resolve() == project / "mine/images"
    assert not (copy / "mine/groups.csv").is_symlink()


def test_a_copy_is_made_whatever_the_user_has_set_for_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    (project / ".dvc").mkdir(parents=True)
    (project / ".dvc" / "config").touch()
    (project / os.fsdecode(b"notes_\xe4.txt")).touch()
    monkeypatch.chdir(project)
    subprocess.run(["git", "init", "-q"], check=True)
    settings = f"[commit]\n  gpgsign = true\n[core]\n  hooksPath = {tmp_path}/hooks\n"
    (tmp_path / ".gitconfig").write_text(settings)
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks/pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "hooks/pre-commit").chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    verify.copy_project(tmp_path / "copy")
    log = subprocess.run(["git", "log", "--oneline"], cwd=tmp_path / "copy", capture_output=True)
    assert log.returncode == 0 and b"copy" in log.stdout


def test_verify_needs_a_lock_and_a_repository(spectra: Workspace) -> None:
    shutil.rmtree(spectra.path / ".git")
    assert "git says: fatal: not a git repository" in one_line_error(spectra.run("verify"))
    for command in (["repro", "spectra"], ["check", "--lock"]):
        message = one_line_error(spectra.run(*command))
        assert message.startswith(f"scistage: {spectra.path}: is in no git repository")
    (spectra.path / "dvc.lock").unlink()
    assert "dvc.lock: not found; run `scistage repro`" in one_line_error(spectra.run("verify"))
