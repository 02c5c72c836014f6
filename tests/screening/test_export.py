"""The exported graph: plain message passing, of every shape that a network can have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from domains.screening.predict import export
from domains.screening.predict.calibrate import read_calibration
from domains.screening.prepare.featurise import featurise
from domains.screening.train.reading import read_ensemble
from tests.graphs import through_onnx
from tests.screening.made import CROSSING, DISTANCE, made_prepare
from tests.screening.test_predict import predicted
from tests.screening.trained import trained


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_prepare(tmp_path_factory.mktemp("made") / "prepare", targets=(CROSSING, DISTANCE))


@pytest.mark.parametrize(
    ("join", "aggregation", "depth"),
    [("none", "sum", 1), ("descriptors", "norm", 4), ("fingerprints", "mean", 3)],
)
def test_it_says_what_the_network_says(
    prepared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    join: str,
    aggregation: str,
    depth: int,
) -> None:
    inputs = trained(
        prepared, tmp_path / "train", members=2, join=join, aggregation=aggregation, depth=depth
    )
    predicted(inputs, calibration="isotonic" if join == "none" else "platt")
    run, found, script, session = through_onnx(export, inputs, tmp_path / "model", monkeypatch)
    assert list(found) == ["members", "mean", "spread"]
    assert found["members"].values == 2 * found["mean"].values
    ensemble, graphs = read_ensemble(inputs.train), featurise(["C", "OCC(O)CO", "C", "[Na+].[Cl-]"])
    joined = np.zeros((4, ensemble.members[0].joined_mean.numel()), dtype=np.float32)
    joined[0], joined[1:] = 1e30, np.nan  # an outlier, and what is not known
    said, expected = run(export._given(graphs, joined, join)), ensemble.predict(graphs, joined)
    np.testing.assert_allclose(said["members"], expected, atol=1e-4)
    answers = read_calibration(inputs.predict).answers(expected, ensemble.targets)
    table = script["scores"](session, {**vars(graphs), "joined": joined})
    assert sorted(table) == sorted(answers)
    for name, column in table.items():
        np.testing.assert_allclose(column, answers[name], atol=1e-4)
