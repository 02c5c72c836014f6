"""The exported graph, of every kind of network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from domains.retina.predict import export
from domains.retina.predict.calibrate import Calibration, write_calibration
from domains.retina.predict.conformal import Bands
from domains.retina.train.reading import read_network
from tests.graphs import through_onnx
from tests.retina.made import made_prepare
from tests.retina.trained import trained


@pytest.mark.parametrize(
    "changes",
    [
        {"backbone": "efficientnet_lite0", "look": "colour", "mirror": True, "members": 2},
        {"look": "local_contrast", "maps": 3, "auxiliary": 0.0},
    ],
)
def test_it_says_what_the_network_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    prepared = made_prepare(tmp_path / "prepare", n=24, size=41)
    inputs = trained(prepared, tmp_path / "train", **changes)
    eyes = {"age": Bands([50.0], [1.0, 2.0])}
    write_calibration(inputs.predict, Calibration(0.9, eyes, eyes, {"age": 5.0}, None))
    run, found = through_onnx(export, inputs, tmp_path / "model.onnx", monkeypatch)
    targets = read_network(inputs.train).targets
    assert list(found) == [name for target in targets for name in export._outputs(target)]
    images = np.random.default_rng(0).integers(0, 256, (3, 41, 41, 3), dtype=np.uint8)
    alone = run({"photographs": images[:1]})
    for name, said in run({"photographs": images}).items():
        np.testing.assert_allclose(said[:1], alone[name], rtol=1e-5, atol=1e-5)
