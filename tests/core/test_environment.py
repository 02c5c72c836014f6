"""The machine's settings: defaults that work, and one line for each mistake."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines.core.environment import THREAD_VARIABLES, environment, prepare_process
from pipelines.core.errors import UserError


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No SCISTAGE_* variable is set, and none leaks out of a test."""
    names = [name for name in os.environ if name.startswith("SCISTAGE_")]
    for name in names:
        monkeypatch.delenv(name)
    for name in (*THREAD_VARIABLES, "CUBLAS_WORKSPACE_CONFIG", "MPLBACKEND"):
        monkeypatch.setenv(name, os.environ.get(name, ""))


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    settings = environment()
    assert (settings.threads, settings.workers, settings.accelerator) == (2, 0, "auto")
    assert settings.precision is None and settings.data_mirror is None
    assert settings.cache == Path("/somewhere/scistage")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert environment().cache == Path.home() / ".cache" / "scistage"


@pytest.mark.parametrize("value", ["two", "0", "-1", "1.5", " ", "²"])
@pytest.mark.parametrize("name", ["SCISTAGE_THREADS"])
def test_what_is_no_number_of_threads(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError) as error:
        environment()
    expected = f"{name}: found {value!r}; give a whole number of at least 1"
    assert str(error.value) == " ".join(expected.split())


def test_no_workers_is_a_choice_and_empty_means_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCISTAGE_WORKERS", "0")
    monkeypatch.setenv("SCISTAGE_THREADS", "")
    monkeypatch.setenv("SCISTAGE_CACHE", "~/data")
    settings = environment()
    assert (settings.workers, settings.threads) == (0, 2)
    assert settings.cache == Path.home() / "data"


def test_a_stage_hands_its_threads_to_numerical_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCISTAGE_THREADS", "3")
    assert prepare_process().threads == 3
    assert {os.environ[name] for name in THREAD_VARIABLES} == {"3"}
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
