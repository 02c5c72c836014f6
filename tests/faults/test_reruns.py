"""What reruns, and that nothing but the parameters, inputs and code decides what comes out."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from pipelines.cli.lockfile import prefer_recorded
from pipelines.core.params import read_yaml
from tests.faults.many_kills import IDENTICAL
from tests.faults.matrix import against, restored
from tests.workspace import Workspace

ALL = ["prepare", "train", "predict", "evaluate", "explain", "report"]


def ran(stdout: str) -> list[str]:
    """The stages that DVC ran, in order."""
    return re.findall(r"^Running stage '(\w+)@", stdout, re.MULTILINE)


def test_nothing_reruns_when_nothing_changed(spectra: Workspace) -> None:
    before = spectra.read("dvc.lock")
    (spectra.path / "domains/spectra/README.md").write_text("Another text")
    run = spectra.run("repro")
    assert run.returncode == 0 and ran(run.stdout) == []
    assert spectra.read("dvc.lock") == before
    assert (spectra.path / "outputs/index.html").is_file()


@pytest.mark.parametrize(
    "parameter, value, stages",
    [
        ("report.title", "Another title", ["report"]),
        ("evaluate.seed", "1", ["evaluate", "report"]),
        ("train.learning_rate", "0.01", ALL[1:]),
    ],
)
def test_a_parameter_reruns_the_stages_that_it_concerns(
    spectra: Workspace, parameter: str, value: str, stages: list[str]
) -> None:
    before = spectra.tree("outputs/spectra")
    spectra.set_param(f"spectra.{parameter}", value)
    run = spectra.run("repro")
    assert run.returncode == 0, run.stdout + run.stderr
    assert ran(run.stdout) == stages
    after = spectra.tree("outputs/spectra")
    changed = {name.split("/")[0] for name in after if after[name] != before.get(name)}
    assert changed == set(stages)


def test_a_user_s_new_file_is_noticed(spectra: Workspace) -> None:
    """DVC does not watch the source; `repro` holds what `check` finds against the card."""
    check = spectra.path / "domains/spectra/prepare/check.py"
    card = spectra.path / "outputs/spectra/prepare/card.json"
    text = card.read_text()
    card.write_text(text.replace('"files": {}', '"files": {"old.csv": "0"}'))
    assert card.read_text() != text and check.is_file()
    run = spectra.run("repro")
    assert "spectra: the files of its source have changed" in run.stdout
    assert ran(run.stdout) == ["prepare"]
    assert card.read_text() == text


def test_a_report_brings_the_overview_up_to_date(spectra: Workspace) -> None:
    overview = spectra.path / "outputs/index.html"
    before = overview.read_bytes()
    overview.unlink()
    assert spectra.run("report", "spectra").returncode == 0
    assert overview.read_bytes() == before


def test_outputs_of_other_files_are_not_taken_from_the_cache_of_runs(spectra: Workspace) -> None:
    """DVC's cache of runs does not know the user's files either. Later stages are copied."""
    shutil.copytree(spectra.path / "outputs/spectra", spectra.path / "kept")
    file = spectra.path / "dvc.yaml"
    copied = r"mkdir -p outputs/${item.domain} && cp -r kept/\1 outputs/${item.domain}"
    later = rf"exec python -m pipelines ({'|'.join(ALL[1:])}) \${{item.domain}}"
    text, count = re.subn(later, copied, file.read_text())
    assert count == len(ALL[1:])
    file.write_text(text)
    mine = spectra.path / "mine.csv"
    for name, listed in (("check", "return {}"), ("generate", '"files": {}')):
        module = spectra.path / f"domains/spectra/prepare/{name}.py"
        found = listed.replace("{}", '{"mine.csv": open("mine.csv").read()}')
        module.write_text(module.read_text().replace(listed, found))
    for text in ("first", "second"):
        mine.write_text(text)
        shutil.rmtree(spectra.path / "outputs")
        run = spectra.run("repro")
        assert run.returncode == 0, run.stdout + run.stderr
    assert b'"mine.csv": "second"' in spectra.read("outputs/spectra/prepare/card.json")
    assert ran(spectra.run("repro").stdout) == []


def test_what_a_forced_run_gave_is_what_the_cache_of_runs_gives_back(
    spectra: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of records of the same inputs DVC takes the newest, which may be of other threads."""
    monkeypatch.chdir(spectra.path)
    record = next(
        path
        for path in Path(".dvc/cache/runs").glob("*/*/*")
        if "train spectra" in path.read_text()
    )
    os.utime(record, (0, 0))
    other = record.with_name("f" * 64)
    other.write_text(re.sub(r"md5: \w{4}", "md5: 0000", record.read_text()))
    before = other.stat().st_mtime
    prefer_recorded(["minerals"])
    assert max((record, other), key=os.path.getmtime) == other
    prefer_recorded(["spectra"])
    assert max((record, other), key=os.path.getmtime) == record
    assert other.stat().st_mtime == before


def test_forced_parallel_run_elsewhere_gives_the_lock_of_a_serial_one(
    spectra: Workspace, finished_spectra: Workspace
) -> None:
    """Another folder, `--force`, `--jobs 2`, loader workers: none of it changes a byte."""
    spectra.run("new", "minerals").check_returncode()
    spectra.run("preset", "minerals", "tiny").check_returncode()
    run = spectra.run("repro", "--force", "--jobs", "2", SCISTAGE_WORKERS="2")
    assert run.returncode == 0, run.stdout + run.stderr
    assert sorted(ran(run.stdout)) == sorted(2 * ALL)
    serial, both = finished_spectra.read("dvc.lock"), spectra.read("dvc.lock")
    assert both.startswith(serial)
    mine = read_yaml(spectra.path / "dvc.lock")["stages"]
    assert list(mine) == [
        f"{stage}@{domain}" for domain in ("spectra", "minerals") for stage in ALL
    ]
    for stage in ALL[:-1]:  # the same data, code and parameters under another name
        here, there = mine[f"{stage}@minerals"]["outs"], mine[f"{stage}@spectra"]["outs"]
        assert [out["md5"] for out in here] == [out["md5"] for out in there], stage
    again = spectra.run("repro", "--jobs", "2")
    assert again.returncode == 0 and ran(again.stdout) == []
    assert spectra.read("dvc.lock") == both


def test_what_is_taken_away_is_restored_from_the_cache(
    spectra: Workspace, finished_spectra: Workspace
) -> None:
    """One of the combinations that `make faults` goes through."""
    assert restored(spectra, "spectra") == ""
    assert against(spectra, finished_spectra) == IDENTICAL
