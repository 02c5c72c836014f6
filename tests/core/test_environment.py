"""The machine's settings: defaults that work, and one line for each mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pipelines.core.environment import PORTABLE, THREAD_VARIABLES, environment, prepare_process
from pipelines.core.errors import UserError
from pipelines.training.precision import trainer_precision, uses_gpu


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No SCISTAGE_* variable is set, and none leaks out of a test."""
    names = [name for name in os.environ if name.startswith("SCISTAGE_")]
    for name in names:
        monkeypatch.delenv(name)
    for name in (*THREAD_VARIABLES, *PORTABLE, "CUBLAS_WORKSPACE_CONFIG", "MPLBACKEND"):
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


def test_an_unknown_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCISTAGE_THREAD", "4")
    with pytest.raises(UserError, match=r"^SCISTAGE_THREAD: unknown .*, SCISTAGE_THREADS, SCI"):
        environment()


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("SCISTAGE_ACCELERATOR", "auto or cpu or gpu"),
        ("SCISTAGE_PRECISION", "32-true or bf16-mixed"),
        ("SCISTAGE_STRATEGY", "ddp"),
    ],
)
def test_an_unknown_word_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, known: str) -> None:
    monkeypatch.setenv(name, "bf17")
    with pytest.raises(UserError, match=f"^{name}: found 'bf17'; give {known}$"):
        environment()


def test_a_gpu_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert not uses_gpu()
    monkeypatch.setenv("SCISTAGE_ACCELERATOR", "gpu")
    with pytest.raises(UserError, match=r"^SCISTAGE_ACCELERATOR: found 'gpu', but PyTorch sees"):
        trainer_precision()


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


LIBRARIES = """
import json
from pipelines.core.environment import prepare_process
prepare_process()
import numpy, scipy.linalg, torch
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
from threadpoolctl import threadpool_info
from pipelines.training.precision import trainer_precision
from pipelines.training.reproducible import BY_PROCESSOR, prepare_torch
blas = {i["architecture"] for i in threadpool_info() if i["internal_api"] == "openblas"}
numpys = [name for name in __cpu_dispatch__ if __cpu_features__[name]]
torchs = torch.backends.cpu.get_cpu_capability()
prepare_torch()
values = torch.rand(100000, requires_grad=True)
replaced = [
    name for name, numpys_own in BY_PROCESSOR.items()
    if numpy.array_equal(getattr(values, name)().detach(), numpys_own(values.detach().numpy()))
]
plain = values.detach()
root = numpy.sqrt(plain.numpy())
assert numpy.array_equal(plain.clone().sqrt_(), root)
assert numpy.array_equal(torch.sqrt(plain, out=torch.empty(0)), root)
assert numpy.array_equal(torch._foreach_sqrt([plain])[0], root)
values.sqrt().sum().backward()
slope = torch.allclose(values.grad, 0.5 / values.detach().sqrt())
half = (torch.tensor([4.0, -1.0], dtype=torch.bfloat16).sqrt(), torch.tensor(4).sqrt())
assert [str(x.dtype) for x in half] == ["torch.bfloat16", "torch.float32"], half
assert replaced == [*BY_PROCESSOR] and slope, (replaced, slope)
print(json.dumps([torchs, sorted(blas), numpys, trainer_precision(low=True)]))
"""


def test_portable_holds_libraries_to_instructions_that_others_have() -> None:
    environment = {**os.environ, "SCISTAGE_PORTABLE": "1", "SCISTAGE_ACCELERATOR": "cpu"}
    run = subprocess.run([sys.executable, "-c", LIBRARIES], env=environment, capture_output=True)
    assert run.returncode == 0 and not run.stderr, run.stderr
    assert json.loads(run.stdout) == ["AVX2", ["Haswell"], ["X86_V3"], "32-true"]


def test_portable_is_yes_or_no(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment().portable is False
    monkeypatch.setenv("SCISTAGE_PORTABLE", "1")
    assert environment().portable is True
    monkeypatch.setenv("SCISTAGE_PORTABLE", "2")
    with pytest.raises(UserError, match="SCISTAGE_PORTABLE: found '2'; give a whole number from 0"):
        environment()
