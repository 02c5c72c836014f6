"""The exported graph: every padding and number of views, images of any size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from domains.segmentation.predict import export
from domains.segmentation.predict.files import RULE
from domains.segmentation.predict.network import load
from domains.segmentation.predict.tiles import averaged
from domains.segmentation.prepare.arrays import Sample, write_samples
from domains.segmentation.train.unet import UNet
from pipelines.core.artifacts import write_json
from pipelines.core.runner import Inputs
from pipelines.training.weights import write_weights
from tests.graphs import through_onnx
from tests.segmentation.cases import form


@pytest.mark.parametrize(("padding", "views"), [("same", 8), ("valid", 4)])
def test_it_says_what_the_network_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, padding: str, views: int
) -> None:
    inputs = Inputs(*(tmp_path / name for name in ("prepare", "train", "predict", "e", "x")))
    for folder in (inputs.prepare, inputs.train, inputs.predict):
        folder.mkdir()
    torch.manual_seed(0)
    shape = {"channels": 1, "classes": 3, "base": 4, "depth": 3, "dropout": 0.1, "norm": True}
    network = UNet(**shape, padding=padding).eval()
    state = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    write_weights(inputs.train / "weights.safetensors", {"unet": state})
    model = {"network": {**shape, "padding": padding}, "format": vars(form())}
    write_json(inputs.train / "model.json", {"fits": {"unet": {"model": model}}})
    tiles = {"tile_px": 64, "margin_px": 0, "views": views}
    write_json(inputs.predict / RULE, {"rule": {}, "temperature": 1.0, "tiles": tiles})
    image = np.random.default_rng(0).integers(0, 999, (61, 150, 1)).astype(np.uint16)
    mask = np.zeros((61, 150), dtype=np.int32)
    write_samples(inputs.prepare, [Sample("a", "a", "test", image, mask)], form())
    run, found, script, session = through_onnx(export, inputs, tmp_path / "model", monkeypatch)
    assert found["probabilities"].values == 3 * 61 * 64
    expected = load(inputs.train, **tiles)(image)  # in tiles, their edges mirrored
    said = script["probabilities"](session, script["normalised"](image))
    np.testing.assert_allclose(said, expected, atol=1e-5)
    edges = (37, 50) if padding == "same" else (network.fits(90), network.fits(97))
    images = torch.rand(2, 1, *edges)
    with torch.inference_mode():
        expected = averaged(network, views)(images).numpy()
    said = run({"image": images.numpy()})["probabilities"]
    np.testing.assert_allclose(said, expected, atol=1e-5)
