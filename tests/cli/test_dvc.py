"""DVC is called so that it can work wherever the project can."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import pytest

from pipelines.cli.dvc import ask_dvc, dvc_environment, require_repository
from pipelines.core.errors import UserError


def test_a_user_without_a_name_is_given_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", dict[int, object]().__getitem__)
    with pytest.raises((KeyError, OSError)):
        getpass.getuser()  # which DVC calls
    assert dvc_environment()["LOGNAME"] == str(os.getuid())


def test_a_user_with_a_name_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "marie")
    assert dvc_environment()["LOGNAME"] == "marie"


def test_without_git_it_must_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".dvc").mkdir()
    Path(".dvc/config").touch()
    with pytest.raises(UserError, match=r"is in no git repository.*`git init` here$"):
        require_repository()
    for yes in ("true", "True"):  # the second is what `dvc init --no-scm` writes
        Path(".dvc/config").write_text(f"[core]\n    no_scm = {yes}\n")
        require_repository()
    Path(".dvc/config").write_text("")
    (tmp_path / ".git").mkdir()
    require_repository()


def test_a_complaint_of_dvc_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^dvc status: ERROR: you are not inside of a DVC"):
        ask_dvc("status")
