"""A network whose answer is known, applied to files."""

import json

import pandas as pd
import torch

from domains.segmentation.predict.apply import apply
from domains.segmentation.train.unet import UNet
from pipelines.core.runner import Inputs
from pipelines.training.weights import write_weights
from tests.segmentation.cases import form

SHAPE = {"base": 4, "depth": 1, "dropout": 0.0, "norm": False, "padding": "same"}


def trained(path, channels: int = 1, labels: str = "instances", **settings) -> Inputs:
    """A network whose output is the image: bright is interior (class 1), dark is background.

    settings: further fields of postprocess.json, or of the model's format.
    """
    shape = {**SHAPE, "channels": channels, "classes": 3 if labels == "instances" else 2}
    network = UNet(**shape)
    with torch.no_grad():
        for weights in network.parameters():
            weights.zero_()
        first, last = network.down[0], network.merge[0]
        for conv in (first[0], first[2], last[0], last[2]):
            conv.weight[0, 0, 1, 1] = 1
        network.head.weight[1, 0] = 20
        network.head.bias[:] = torch.tensor([0.0, -10.0, -20.0][: len(network.head.bias)])
    about = {**vars(form(labels, 2, channels)), "pixel_size_um": 0.5}
    about |= {name: settings.pop(name) for name in list(settings) if name in about}
    fits = {"unet": {"model": {"network": shape, "format": about}}}
    (path / "card.json").write_text('{"splits": {"train": {"foreground_share": 0.4}}}')
    (path / "model.json").write_text(json.dumps({"fits": fits}))
    write_weights(
        path / "weights.safetensors",
        {"unet": {f"network.{k}": v for k, v in network.state_dict().items()}},
    )
    rule = {"threshold": 0.5, "seeds": "distance", "level": 1.0, "min_area": 5}
    tiles = {"tile_px": 64, "margin_px": 64, "views": 4}
    about = {"rule": rule, "tiles": tiles, "temperature": 1.0, **settings}
    (path / "postprocess.json").write_text(json.dumps(about))
    return Inputs(path, path, path, path, path)


def objects_of(inputs: Inputs, *files) -> pd.DataFrame:
    """Apply the network to the files; what is written lies in `out` beside its weights."""
    out = inputs.train / "out"
    out.mkdir()
    apply(inputs, list(files), out)
    assert not list(out.glob(".*"))
    return pd.read_csv(out / "objects.csv")
