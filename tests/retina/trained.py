"""Parameters of a tiny training, and a training with them: for tests of later stages too."""

from pathlib import Path
from typing import Any

from domains.retina.train import train
from domains.retina.train.params import TrainParams
from pipelines.core.runner import Inputs
from pipelines.training.stage import train as run_fits

TINY: dict[str, Any] = {
    "backbone": "small",
    "width": 4,
    "look": "colour",
    "maps": 1,
    "dropout": 0.0,
    "auxiliary": 0.5,
    "freeze": "none",
    "pretext": {"kind": "rotation", "epochs": 0, "learning_rate": 0.01},
    "backbone_rate": 1.0,
    "mirror": False,
    "upside_down": False,
    "members": 1,
    "weights": [],
    "shift_px": 1,
    "turn": 0.0,
    "zoom": 0.0,
    "beta": 0.0,
    "colour": 0.0,
    "defocus_px": 0.0,
    "noise": 0.0,
    "epochs": 1,
    "batch_size": 8,
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
