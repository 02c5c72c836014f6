"""The exported graph, of every kind of network, and what run.py makes of its answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from domains.retina.predict import export
from domains.retina.predict.calibrate import Calibration, write_calibration
from domains.retina.predict.conformal import Bands, values_of, with_intervals
from domains.retina.predict.tables import eye_table, uncertainty
from domains.retina.prepare.arrays import KEYS
from domains.retina.train.reading import answers, read_network
from pipelines.core.artifacts import read_json
from pipelines.core.runner import Inputs
from pipelines.training.weights import read_weights, write_weights
from tests.graphs import in_float32, through_onnx
from tests.retina.made import made_prepare
from tests.retina.trained import trained

SMALL = {"look": "local_contrast", "maps": 3, "auxiliary": 0.0, "mirror": True}
LITE0 = {"backbone": "efficientnet_lite0", "look": "colour", "mirror": True, "members": 2}
COUNT = 9


def made(folder: Path, **changes: object) -> Inputs:
    """Networks whose heads say something of each place: hardly trained ones do not."""
    inputs = trained(made_prepare(folder / "prepare", size=41), folder / "train", **changes)
    file = inputs.train / "weights.safetensors"
    fits = {n: read_weights(file, n) for n in read_json(inputs.train / "model.json")["fits"]}
    torch.manual_seed(0)
    for state in fits.values():
        state |= {k: v + 0.1 * torch.randn_like(v) for k, v in state.items() if "heads" in k}
    write_weights(file, fits)
    return inputs


def pictures() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (COUNT, 41, 41, 3))
    return (noise * np.linspace(0.2, 1, COUNT)[:, None, None, None]).astype(np.uint8)


@pytest.mark.parametrize("changes", [SMALL, LITE0])
def test_it_says_what_the_network_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    inputs = made(tmp_path, **changes)
    write_calibration(inputs.predict, Calibration(0.9, {}, {}, {}, None))
    run, found, _, _ = through_onnx(export, inputs, tmp_path / "model", monkeypatch)
    targets = read_network(inputs.train).targets
    assert list(found) == [name for target in targets for name in export._outputs(target)]
    alone = run({"photographs": pictures()[:1]})
    for name, said in run({"photographs": pictures()}).items():
        np.testing.assert_allclose(said[:1], alone[name], rtol=1e-5, atol=1e-5)


def test_run_py_abstains_and_gives_intervals_as_apply_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_float32(monkeypatch)
    inputs = made(tmp_path, **SMALL)
    network = read_network(inputs.train)
    targets = network.targets
    row = {**dict.fromkeys(KEYS, ""), "blur": 0.1, "exposure": 0.5, "field": 1.0, "usable": True}
    table = eye_table(pd.DataFrame([row] * COUNT), targets, *answers(network, pictures()))
    typical = {name: float(table[f"{name}_sd"].median()) for name in values_of(targets)}
    limit = float(uncertainty(table, targets, typical).quantile(0.55))  # between two eyes
    eyes = {name: Bands([50.0], [1.0, 2.0]) for name in values_of(targets)}
    calibration = Calibration(0.9, eyes, eyes, typical, limit)
    write_calibration(inputs.predict, calibration)
    _, _, script, session = through_onnx(export, inputs, tmp_path / "model", monkeypatch)
    said = pd.DataFrame(script["readings"](session, pictures()))
    expected = with_intervals(calibration.marked(table, targets), targets, eyes)
    assert said["abstained"].tolist() == expected["abstained"].tolist()
    assert 0 < said["abstained"].sum() < COUNT
    columns = [name for name in said if name != "abstained"]
    expected.loc[expected["abstained"], columns] = np.nan
    pd.testing.assert_frame_equal(said[columns], expected[columns], rtol=1e-4, check_dtype=False)
