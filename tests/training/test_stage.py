"""Fits in a row: each is kept under its name."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import torch

from pipelines.core.artifacts import write_csv, write_json
from pipelines.core.errors import UserError
from pipelines.training.stage import make_trainer, train
from pipelines.training.weights import read_weights, write_weights


@pytest.mark.parametrize("second", ["network", "members/1", "", "00"])
def test_a_name_that_is_taken_or_no_name_is_refused(tmp_path: Path, second: str) -> None:
    module = torch.nn.Linear(1, 1)
    finished = tmp_path / "work" / ("gpu" if torch.cuda.is_available() else "cpu") / "network"
    finished.mkdir(parents=True)
    write_weights(finished / "best.safetensors", {"network": dict(module.state_dict())})
    write_csv(finished / "history.csv", pd.DataFrame({"fit": ["network"], "epoch": [0]}))
    write_json(finished / "done.json", {})
    fits: Any = [
        SimpleNamespace(name=n, module=module, model={}, owner=None) for n in ("network", second)
    ]
    with pytest.raises(UserError, match=f"spectra: a fit is called '{second}'; give each a name"):
        train(iter(fits), tmp_path, tmp_path / "work", "spectra")
    assert not (tmp_path / "model.json").exists()


def test_what_could_not_be_written_is_told_before_the_training(tmp_path: Path) -> None:
    fits: Any = [SimpleNamespace(name="network", model={"mean": torch.zeros(1)}, owner=None)]
    with pytest.raises(UserError, match=r"^spectra network: Fit\.model: .* JSON"):
        train(iter(fits), tmp_path, tmp_path / "work", "spectra")


def test_fits_whose_names_begin_alike_are_told_apart(tmp_path: Path) -> None:
    first, second = {"a": torch.zeros(1)}, {"a": torch.ones(1), "b": torch.ones(1)}
    write_weights(tmp_path / "w", {"member_1": first, "member_10": second})
    assert read_weights(tmp_path / "w", "member_1") == first


def test_what_comes_after_a_fit_finds_its_selected_weights(tmp_path: Path) -> None:
    module = torch.nn.Linear(1, 1)
    finished = tmp_path / "work" / ("gpu" if torch.cuda.is_available() else "cpu") / "network"
    finished.mkdir(parents=True)
    best = {name: torch.full_like(tensor, 7) for name, tensor in module.state_dict().items()}
    write_weights(finished / "best.safetensors", {"network": best})
    write_csv(finished / "history.csv", pd.DataFrame({"fit": ["network"], "epoch": [0]}))
    write_json(finished / "done.json", {})
    fits: Any = [SimpleNamespace(name="network", module=module, model={}, owner=None)]
    train(iter(fits), tmp_path, tmp_path / "work", "spectra")
    assert module.weight.item() == module.bias.item() == 7


def test_gradients_are_clipped_as_the_fit_says() -> None:
    fit: Any = SimpleNamespace(low_precision=False, epochs=1, gradient_clip=0.5)
    assert make_trainer(fit, []).gradient_clip_val == 0.5
