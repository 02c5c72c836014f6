"""A domain's graph as `scistage export` makes it, for stages that a test has made up."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import onnxruntime
import pytest

from pipelines.cli.export import EXACT, Difference, runner, write_model
from pipelines.core.runner import Inputs


class Exported(NamedTuple):
    """The graph; its differences from the network; what is defined in run.py."""

    run: Any
    differences: dict[str, Difference]
    script: dict[str, Any]
    session: onnxruntime.InferenceSession


def in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have PyTorch compute as `scistage export` has it compute."""
    for name, value in EXACT.items():
        monkeypatch.setenv(name, value)


def through_onnx(
    module: ModuleType, inputs: Inputs, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Exported:
    """Export by a domain's `predict/export.py` into a folder that is made."""
    in_float32(monkeypatch)
    folder.mkdir()
    _, differences = write_model(module, "test", inputs, folder)
    return Exported(
        runner(folder / "model.onnx"),
        {one.output: one for one in differences},
        runpy.run_path(str(folder / "run.py")),
        onnxruntime.InferenceSession(folder / "model.onnx"),
    )
