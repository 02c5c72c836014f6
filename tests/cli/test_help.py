"""Starting up: help that fits a screen, and nothing heavy imported for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.cli import main as command_line
from pipelines.cli.main import STAGE_HELP, main
from pipelines.core.contract import STAGES

COMMANDS = [*STAGE_HELP, "repro", "apply", "export", "preset", "new", "check", "verify", "doctor"]
HEAVY = {"torch", "numpy", "pandas", "pydantic", "ruamel", "pytorch_lightning", "matplotlib"}


def python(script: str) -> str:
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return run.stdout


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_fits_a_screen_and_holds_an_example(
    command: str | None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as end:
        main([*filter(None, [command]), "--help"])
    said = capsys.readouterr().out
    assert end.value.code == 0
    assert len(said.splitlines()) <= 24
    assert f"example: scistage {command or ''}" in said


def test_every_command_is_tested_and_every_stage_is_a_command() -> None:
    commands = command_line._parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr]
    assert sorted(commands) == sorted(COMMANDS)
    assert list(STAGE_HELP) == list(STAGES)


def test_help_imports_nothing_heavy() -> None:
    said = python(
        "import sys\n"
        "from pipelines.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print('modules:', *{name.split('.')[0] for name in sys.modules})"
    )
    modules = set(said.splitlines()[-1].split()[1:])
    assert "argparse" in modules
    assert modules & HEAVY == set()


def test_check_imports_no_torch() -> None:
    said = python(
        "import sys\n"
        "from pipelines.cli import check, new, preset, repro, verify, lockfile, doctor\n"
        "from pipelines.cli import apply, export\n"
        "print('torch' in sys.modules, 'numpy' in sys.modules, 'pydantic' in sys.modules)"
    )
    assert said.split() == ["False", "False", "True"]


def test_outside_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 2
    assert "scistage: no dvc.yaml and domains/ here or above" in capsys.readouterr().err


def test_a_missing_package_says_how_to_mend_it() -> None:
    said = python(
        "import sys\n"
        "sys.modules['pydantic'] = None\n"
        "from pipelines.cli.main import main\n"
        "sys.stderr = sys.stdout\n"
        "print(main(['check']))"
    )
    message, code = said.splitlines()
    assert code == "2"
    assert message.startswith("scistage: the package 'pydantic' is missing from ")
    assert "make repro" in message and ".venv/bin/activate" in message


@pytest.mark.parametrize("arguments", [[], ["fit"], ["train"], ["repro", "--jobs", "two"]])
def test_a_wrong_call_shows_the_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("usage: scistage")


def test_overview_loads_nothing_heavy():
    code = (
        "import sys, pipelines.report.overview, pipelines.report.params;"
        "print(sorted({'torch', 'pandas', 'numpy', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
