"""Mistakes and full disks: one line, exit code 2, and nothing that was published is lost."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workspace import Workspace, one_line_error

SCISTAGE = [sys.executable, "-m", "pipelines"]


@pytest.mark.parametrize(
    "parameter, value, said",
    [
        ("spectra.train.learning_rate", "-0.1", "spectra.train.learning_rate: found -0.1; "),
        ("spectra.train.epochs", "many", "spectra.train.epochs: found 'many'; "),
        ("spectra.evaluate.sead", "1", "spectra.evaluate.sead: unknown key; did you mean 'seed'?"),
    ],
)
def test_a_mistake_in_a_parameter_costs_nothing(
    spectra: Workspace, parameter: str, value: str, said: str
) -> None:
    outputs, lock = spectra.tree("outputs"), spectra.read("dvc.lock")
    spectra.set_param(parameter, value)
    assert said in one_line_error(spectra.run("repro"))
    assert spectra.tree("outputs") == outputs
    assert spectra.read("dvc.lock") == lock


def test_a_stage_that_fails_midway_gives_the_last_outputs_back(spectra: Workspace) -> None:
    outputs, lock = spectra.tree("outputs"), spectra.read("dvc.lock")
    module = spectra.path / "domains/spectra/evaluate/__init__.py"
    code = module.read_text()
    midway = """
    from pipelines.core.errors import UserError

    (out / "metrics.json").write_text("{}")
    raise UserError("domains/spectra: the third table is empty; fill it")
    from .scores"""
    module.write_text(code.replace("\n    from .scores", midway))
    run = spectra.run("repro")
    assert one_line_error(run) == "scistage: domains/spectra: the third table is empty; fill it"
    assert run.stderr.rstrip().endswith("failed (see above); the last good outputs are back")
    assert spectra.tree("outputs") == outputs
    assert spectra.read("dvc.lock") == lock
    module.write_text(code)
    assert "Running stage" not in spectra.run("repro").stdout


def test_an_output_edited_by_hand_does_not_keep_the_others_from_coming_back(
    spectra: Workspace,
) -> None:
    outputs = spectra.tree("outputs/spectra/prepare")
    edited = spectra.path / "outputs/spectra/predict/predictions.csv"
    edited.write_text("mine")
    spectra.set_param("spectra.prepare.seed", "7")
    generate = spectra.path / "domains/spectra/prepare/generate.py"
    generate.write_text(generate.read_text() + "\nraise KeyError\n")
    run = spectra.run("repro")
    assert run.returncode == 2
    assert run.stderr.rstrip().endswith("the last good outputs are back")
    assert spectra.tree("outputs/spectra/prepare") == outputs
    assert edited.read_text() == "mine"


def test_what_cannot_be_brought_back_is_named(spectra: Workspace) -> None:
    shutil.rmtree(spectra.path / ".dvc/cache")
    generate = spectra.path / "domains/spectra/prepare/generate.py"
    generate.write_text(generate.read_text() + "\nraise KeyError\n")
    run = spectra.run("repro")
    assert run.returncode == 2
    said = "outputs are back, but for outputs/spectra/prepare: not in DVC's cache"
    assert run.stderr.rstrip().endswith(said)


def test_scores_that_a_kill_left_aside_outlive_the_run_of_another_domain(
    spectra: Workspace,
) -> None:
    kept = spectra.path / ".work/.scores/other/evaluate/metrics.json"
    kept.parent.mkdir(parents=True)
    kept.write_text("{}")
    assert spectra.run("repro", "spectra").returncode == 0
    assert kept.read_text() == "{}"


def test_scores_survive_a_kill_and_then_a_failure(spectra: Workspace) -> None:
    """What a killed `repro` had put aside serves the next one."""
    kept = spectra.path / ".work/.scores/spectra/evaluate/metrics.json"
    published = spectra.path / "outputs/spectra/evaluate/metrics.json"
    kept.parent.mkdir(parents=True)
    published.rename(kept)
    metrics = kept.read_bytes()
    module = spectra.path / "domains/spectra/evaluate/__init__.py"
    module.write_text(
        module.read_text().replace("from .scores", "raise KeyError\n    from .scores")
    )
    assert spectra.run("repro").returncode == 2
    assert published.read_bytes() == metrics


def test_a_file_in_place_of_an_output_folder(spectra: Workspace) -> None:
    outputs = spectra.tree("outputs")
    report = spectra.path / "outputs/spectra/report"
    shutil.rmtree(report)
    report.write_text("mine")
    message = one_line_error(spectra.run("report", "spectra"))
    assert "outputs/spectra/report: is a file where an output folder belongs" in message
    assert report.read_text() == "mine"
    run = spectra.run("repro")
    assert run.returncode == 0, run.stdout + run.stderr
    assert spectra.tree("outputs") == outputs


def test_a_file_in_place_of_the_work_folder(spectra: Workspace) -> None:
    outputs = spectra.tree("outputs")
    shutil.rmtree(spectra.path / ".work")
    (spectra.path / ".work").write_text("mine")
    for command in (["prepare", "spectra"], ["repro"]):
        message = one_line_error(spectra.run(*command))
        assert ".work" in message and "a file is where a folder belongs" in message
    assert spectra.tree("outputs") == outputs


def test_a_limit_on_file_sizes(spectra: Workspace) -> None:
    outputs = spectra.tree("outputs")
    limited = ["bash", "-c", 'ulimit -f 16; exec "$@"', "limited", *SCISTAGE]
    message = one_line_error(spectra.process([*limited, "prepare", "spectra"]))
    assert "a file was cut short (" in message
    message = one_line_error(spectra.process([*limited, "report", "spectra"]))
    assert "File too large; raise the limit on file sizes" in message
    assert spectra.tree("outputs") == outputs


Disk = Callable[[str], list[str]]


@pytest.fixture
def disk(spectra: Workspace) -> Disk:
    """Start of a command that sees `.work` on a disk of its own, of this size."""

    def command(size: str) -> list[str]:
        mount = f'mount -t tmpfs -o size={size} small {spectra.path / ".work"} && exec "$@"'
        return ["unshare", "-Urm", "bash", "-c", mount, "mounted"]

    if shutil.which("unshare") is None or spectra.process([*command("1m"), "true"]).returncode:
        pytest.skip("no user namespace in which to mount a small disk")
    return command


def test_a_full_disk(spectra: Workspace, disk: Disk) -> None:
    outputs, lock = spectra.tree("outputs"), spectra.read("dvc.lock")
    spectra.set_param("spectra.prepare.train", "4000")
    message = one_line_error(spectra.process([*disk("100k"), *SCISTAGE, "prepare", "spectra"]))
    assert "a file was cut short (" in message and "free some space" in message
    assert spectra.tree("outputs") == outputs
    run = spectra.process([*disk("100k"), *SCISTAGE, "repro"])
    assert "free some space" in run.stderr
    assert run.returncode == 2 and "the last good outputs are back" in run.stderr
    assert spectra.tree("outputs") == outputs
    assert spectra.read("dvc.lock") == lock


def test_work_folder_on_another_disk(spectra: Workspace, disk: Disk) -> None:
    outputs = spectra.tree("outputs")
    message = one_line_error(spectra.process([*disk("100m"), *SCISTAGE, "report", "spectra"]))
    assert "keep outputs/ and .work/ on one file system" in message
    assert spectra.tree("outputs") == outputs


def test_a_folder_that_may_not_be_written(spectra: Workspace) -> None:
    folder: Path = spectra.path / "outputs" / "spectra"
    outputs = spectra.tree("outputs")
    protect = subprocess.run(["chattr", "+i", folder], capture_output=True, check=False)
    if protect.returncode:
        pytest.skip("chattr +i is not available on this file system")
    try:
        message = one_line_error(spectra.run("prepare", "spectra"))
    finally:
        subprocess.run(["chattr", "-i", folder], check=True)
    assert "check the permissions" in message
    assert spectra.tree("outputs") == outputs
