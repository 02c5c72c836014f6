"""`check`: parameters and sources before anything runs; `--lock`: the published numbers."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from ruamel.yaml import YAML

from pipelines.cli import verify
from pipelines.cli.lockfile import (
    _is_published,
    is_whole,
    keep_lock,
    lock_differences,
    mend_lock,
    recorded_stages,
)
from pipelines.core.contract import STAGES
from pipelines.core.errors import UserError
from tests.workspace import Workspace, one_line_error


def edit(workspace: Workspace, name: str, old: str, new: str) -> None:
    path = workspace.path / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("\nspectra:\n", "\nextra:\n  a: 1\nspectra:\n", "extra: unknown section; list it"),
        ("\n  predict: {}", "\n  fit: {}\n  predict: {}", "spectra.fit: no such stage; stages are"),
        ("\n  predict: {}", "", "spectra.predict: missing; add the section"),
        ("- spectra\n", "- spectra\n- other\n", "domains: 'other' has no folder domains/other"),
        ("hidden:", "hiden:", "spectra.train.hiden: unknown key; did you mean 'hidden'?"),
        ("noise: 0.05", "noise: -0.05", "spectra.prepare.noise: found -0.05"),
    ],
)
def test_a_mistake_in_params_is_told_in_one_line(
    spectra: Workspace, old: str, new: str, said: str
) -> None:
    edit(spectra, "params.yaml", old, new)
    message = one_line_error(spectra.run("check"))
    assert message.startswith("scistage: params.yaml") and said in message


def test_check_names_unknown_domains_and_settings(finished_spectra: Workspace) -> None:
    unknown, stage, good = finished_spectra.run_many(
        ["check", "spectra", "nothing"], ["train", "nothing"], ["check", "spectra"]
    )
    for run in (unknown, stage):
        assert one_line_error(run) == "scistage: no domain 'nothing'; params.yaml lists: spectra"
    assert good.returncode == 0
    run = finished_spectra.run("check", SCISTAGE_THREADS="all")
    assert "SCISTAGE_THREADS: found 'all'" in one_line_error(run)


def test_commands_work_from_a_folder_inside_the_project(finished_spectra: Workspace) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pipelines", "check"],
        cwd=finished_spectra.path / "domains" / "spectra" / "train",
        env=finished_spectra.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout == "spectra: parameters and source are valid (0 source files)\n", run.stderr


def test_lock_belongs_to_what_made_it(spectra: Workspace) -> None:
    edit(spectra, "domains/spectra/README.md", "# A small", "# Another small")
    run = spectra.run("check", "--lock")
    assert run.returncode == 0, run.stdout
    assert run.stdout == "dvc.lock belongs to this code, these parameters and these metrics\n"


def test_lock_of_a_fresh_clone_needs_no_cached_outputs(spectra: Workspace) -> None:
    evaluated = spectra.path / "outputs/spectra/evaluate"
    kept = {name: (evaluated / name).read_bytes() for name in ("metrics.json", "scores.csv")}
    for folder in ("outputs", ".dvc/cache", ".dvc/tmp", ".work"):
        subprocess.run(["rm", "-rf", spectra.path / folder], check=True)
    evaluated.mkdir(parents=True)
    for name, content in kept.items():
        (evaluated / name).write_bytes(content)
    run = spectra.run("check", "--lock")
    assert run.returncode == 0, run.stdout


def test_a_lock_that_belongs_to_something_else_says_what_differs(spectra: Workspace) -> None:
    spectra.set_param("spectra.train.learning_rate", "0.01")
    edit(spectra, "domains/spectra/predict/model.py", "The", "A")
    edit(spectra, "pipelines/report/style.css", "{", " {")
    edit(spectra, "outputs/spectra/evaluate/metrics.json", "0.", "1.")
    run = spectra.run("check", "--lock")
    assert "dvc.lock does not belong to this code" in one_line_error(run)
    said = {tuple(line.split(": ")[:3]) for line in run.stdout.splitlines()}
    for stage, kind, path in (
        ("train", "changed deps", "params.yaml"),
        ("predict", "changed deps", "domains/spectra/predict"),
        ("report", "changed deps", "pipelines/report"),
        ("evaluate", "changed outs", "outputs/spectra/evaluate/metrics.json"),
    ):
        assert (f"{stage}@spectra", kind, path) in said, run.stdout
    assert not any(stage == "prepare@spectra" for stage, *_ in said)


@pytest.mark.parametrize("name", ["metrics.json", "scores.csv"])
def test_a_lock_is_compared_with_the_metrics_and_scores_that_git_holds(name: str) -> None:
    assert _is_published(f"outputs/spectra/evaluate/{name}", "changed outs")
    assert not _is_published(f"outputs/spectra/evaluate/{name}", "deleted")
    assert not _is_published("outputs/spectra/train/history.csv", "changed outs")


def test_a_changed_command_is_a_difference(spectra: Workspace) -> None:
    edit(spectra, "dvc.yaml", "exec python -m pipelines explain", "python -m pipelines explain")
    run = spectra.run("check", "--lock")
    assert "dvc.lock does not belong to this code" in one_line_error(run)
    assert "explain@spectra: changed command" in run.stdout.splitlines()


def test_a_stage_of_one_s_own_is_no_damage(
    finished_spectra: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = "  notify:\n    cmd:\n    - echo done\n    deps:\n    - path: outputs/spectra/report\n"
    whole = finished_spectra.read("dvc.lock").decode() + own
    monkeypatch.chdir(tmp_path)
    Path("dvc.lock").write_text(whole)
    assert is_whole(Path("dvc.lock"))
    assert recorded_stages(["spectra"]) == [f"{stage}@spectra" for stage in STAGES]
    assert len(verify._outputs(Path("dvc.lock"), ["spectra"])) == 11


def test_a_stage_that_is_not_in_the_lock(spectra: Workspace) -> None:
    (spectra.path / "dvc.lock").unlink()
    run = spectra.run("check", "--lock")
    assert "dvc.lock does not belong to this code" in one_line_error(run)
    assert "explain@spectra: not in dvc.lock" in run.stdout.splitlines()


@pytest.mark.parametrize("share", [0, 0.003, 0.3, 0.5, 0.77])
def test_a_truncated_lock_is_told_in_one_line(
    finished_spectra: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    whole = finished_spectra.read("dvc.lock")
    monkeypatch.chdir(tmp_path)
    Path("dvc.lock").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UserError, match=r"^dvc\.lock: damaged; run `scistage repro`"):
        lock_differences()
    with pytest.raises(UserError, match=r"^dvc\.lock: damaged; run `scistage repro` first"):
        verify._outputs(Path("dvc.lock"), ["spectra"])


def test_a_lock_cut_short_becomes_what_it_was(
    finished_spectra: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, lock = finished_spectra.read("dvc.lock"), Path("dvc.lock")
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("domains:\n- spectra\n")
    Path("domains/spectra").mkdir(parents=True)
    lock.write_bytes(whole)
    keep_lock()
    between_stages = whole.index(b"  train@spectra:")
    for size in (0, 5000, between_stages, len(whole) - 1, len(whole)):
        lock.write_bytes(whole[:size])
        mend_lock()
        assert lock.read_bytes() == whole
    lock.write_bytes(b"\xff\xfe no text")
    mend_lock()
    assert lock.read_bytes() == whole
    lock.write_bytes(whole.replace(b"stages:\n", b"stages:\n<<<<<<< HEAD\n"))
    with pytest.raises(UserError, match=r"^dvc\.lock: holds both sides of a merge; take one"):
        mend_lock()
    shutil.rmtree(".work")
    lock.write_bytes(whole[:5000])
    mend_lock()
    assert not lock.exists()


def test_a_lock_cut_anywhere_is_damaged_or_one_that_dvc_can_read(
    finished_spectra: Workspace, tmp_path: Path
) -> None:
    text = finished_spectra.read("dvc.lock").decode()
    first_entry = text[: text.index("  train@spectra:")]
    found = []
    end = len(first_entry)
    for size in [*range(0, end - 300, 7), *range(end - 300, end + 1)]:
        (tmp_path / "dvc.lock").write_text(first_entry[:size])
        if is_whole(tmp_path / "dvc.lock"):
            COMPILED_LOCKFILE_SCHEMA(YAML(typ="safe").load(first_entry[:size]))
            found.append(size)
    assert found[-1] == end and len(found) < 9
