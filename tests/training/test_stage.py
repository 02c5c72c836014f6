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
from pipelines.training.stage import train
from pipelines.training.weights import write_weights


@pytest.mark.parametrize("second", ["network", "members/1", ""])
def test_a_name_that_is_taken_or_no_name_is_refused(tmp_path: Path, second: str) -> None:
    module = torch.nn.Linear(1, 1)
    finished = tmp_path / "work" / ("gpu" if torch.cuda.is_available() else "cpu") / "network"
    finished.mkdir(parents=True)
    write_weights(finished / "best.safetensors", {"network": dict(module.state_dict())})
    write_csv(finished / "history.csv", pd.DataFrame({"fit": ["network"], "epoch": [0]}))
    write_json(finished / "done.json", {})
    fits: Any = [SimpleNamespace(name=n, module=module, model={}) for n in ("network", second)]
    with pytest.raises(UserError, match=f"spectra: a fit is called '{second}'; give each a name"):
        train(iter(fits), tmp_path, tmp_path / "work", "spectra")
    assert not (tmp_path / "model.json").exists()
