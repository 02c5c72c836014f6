"""A domain's graph as `scistage export` makes it, for stages that a test has made up."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from pipelines.cli.export import EXACT, Difference, Graph, parity, runner, write_onnx
from pipelines.core.runner import Inputs

if TYPE_CHECKING:
    from pipelines.cli.export import Run


def through_onnx(
    module: ModuleType, inputs: Inputs, path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Run, dict[str, Difference]]:
    """The graph of a domain's `predict/export.py`, and its differences from the network."""
    for name, value in EXACT.items():
        monkeypatch.setenv(name, value)
    write_onnx(Graph(**module.graph(inputs)), path)
    run = runner(path)
    return run, {one.output: one for one in parity("test", module.compare(inputs, run))}
