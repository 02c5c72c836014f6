"""Parameters of a tiny training, and a training with them: for tests of later stages too."""

from pathlib import Path
from typing import Any

from domains.screening.train import train
from domains.screening.train.params import TrainParams
from pipelines.core.runner import Inputs
from pipelines.training.stage import train as run_fits

TINY: dict[str, Any] = {
    "hidden": 16,
    "depth": 3,
    "layers": 1,
    "dropout": 0.0,
    "aggregation": "mean",
    "join": "none",
    "balance": 0.0,
    "members": 1,
    "epochs": 1,
    "batch_size": 16,
    "learning_rate": 0.01,
    "weight_decay": 0.01,
    "gradient_clip": 5.0,
    "seed": 0,
}


def params_of(**changes: Any) -> TrainParams:
    return TrainParams(**{**TINY, **changes})


def trained(prepared: Path, out: Path, **changes: Any) -> Inputs:
    """Train on a prepare folder; what is written lies in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    inputs = Inputs(prepared, out, out / "predict", out / "evaluate", out / "explain")
    run_fits(train(params_of(**changes), inputs), out, out / "work", "test")
    return inputs
