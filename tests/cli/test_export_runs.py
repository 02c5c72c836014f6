"""Exported models where PyTorch, and all else but NumPy and onnxruntime, cannot be imported."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import torch

from domains.molecules.predict.files import drawn_at
from domains.molecules.predict.writing import noise_of
from domains.molecules.train.reading import fits_of, read_writer
from domains.molecules.train.texts import spell
from domains.retina.predict.calibrate import read_calibration as read_eye_calibration
from domains.retina.predict.conformal import with_intervals
from domains.retina.predict.tables import eye_table
from domains.retina.prepare.arrays import read_eyes
from domains.retina.train.reading import answers, read_network
from domains.screening.predict.calibrate import read_calibration
from domains.screening.prepare.arrays import read_graphs
from domains.screening.train.joining import read_joined
from domains.screening.train.reading import read_ensemble
from domains.segmentation.predict.files import RULE
from domains.segmentation.predict.network import load
from domains.segmentation.prepare.arrays import read_samples
from pipelines.cli.export import TOLERANCE
from pipelines.core.artifacts import read_json, write_json
from pipelines.core.runner import Inputs
from tests.graphs import in_float32
from tests.workspace import ROOT, Workspace

STAGES = ("prepare", "train", "predict", "evaluate", "explain")
BLOCKED = """
import runpy, sys
for name in ("torch", "scipy", "pandas", "rdkit", "cv2", "onnx", "pipelines", "domains"):
    sys.modules[name] = None
"""
CALLED = "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], None, '__main__')"


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    in_float32(monkeypatch)


def inputs_of(finished: Workspace, domain: str) -> Inputs:
    return Inputs(*(finished.path / "outputs" / domain / stage for stage in STAGES))


def run_py(model: Path, folder: Path, *arguments: str, script: str = CALLED) -> str:
    """What run.py of an export prints, called from another folder."""
    command = [sys.executable, "-c", BLOCKED + script, str(model / "run.py"), *arguments]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def table_of(text: str, path: Path) -> pd.DataFrame:
    path.write_text(text)
    return pd.read_csv(path)


@pytest.mark.parametrize("tile_px", [None, 128])
def test_segmentation_runs_without_torch(
    exported: Path, finished: Workspace, tmp_path: Path, tile_px: int | None
) -> None:
    inputs, folder = inputs_of(finished, "segmentation"), tmp_path / "elsewhere"
    shutil.copytree(exported / "segmentation" / "model", folder)
    tiles = read_json(inputs.predict / RULE)["tiles"]
    if tile_px is not None:  # several tiles, and a part of one at each edge
        tiles["tile_px"] = tile_px
        settings = read_json(folder / "preprocessing.json")
        settings["tiles"]["tile_px"] = tile_px
        write_json(folder / "preprocessing.json", settings)
    image = read_samples(inputs.prepare, "test")[0].image[:150, :277]
    np.save(tmp_path / "image.npy", image[..., 0])
    run_py(folder, tmp_path, "image.npy", "said.npy")
    said, expected = np.load(tmp_path / "said.npy"), load(inputs.train, **tiles)(image)
    assert said.shape == (3, 150, 277) and said.dtype == np.float32
    np.testing.assert_allclose(said, expected, atol=TOLERANCE)


@pytest.mark.parametrize("count", [1, 5])
def test_retina_runs_without_torch(
    exported: Path, finished: Workspace, tmp_path: Path, count: int
) -> None:
    inputs, folder = inputs_of(finished, "retina"), exported / "retina" / "model"
    eyes = read_eyes(inputs.prepare, ("test",))
    images = np.array(eyes.images[:count])
    np.save(tmp_path / "eyes.npy", images)
    said = table_of(run_py(folder, tmp_path, "eyes.npy"), tmp_path / "said.csv")
    network, calibration = read_network(inputs.train), read_eye_calibration(inputs.predict)
    table = eye_table(eyes.table[:count], network.targets, *answers(network, images))
    table = with_intervals(
        calibration.marked(table.assign(usable=True), network.targets),
        network.targets,
        calibration.eyes,
    )
    assert said["abstained"].tolist() == table["abstained"].tolist()
    columns = [name for name in said if name != "abstained"]
    assert len(columns) > 2 * len(network.targets)
    table.loc[table["abstained"], columns] = np.nan
    pd.testing.assert_frame_equal(said[columns], table[columns], rtol=TOLERANCE, check_dtype=False)


@pytest.mark.parametrize("count", [1, None])
def test_screening_runs_without_torch(
    exported: Path, finished: Workspace, tmp_path: Path, count: int | None
) -> None:
    inputs, folder = inputs_of(finished, "screening"), exported / "screening" / "model"
    every = read_graphs(inputs.prepare, "library")
    graphs = every.take(np.arange(count or len(every)))
    assert len(every) > 2
    np.savez(tmp_path / "graphs.npz", **vars(graphs))
    said = table_of(run_py(folder, tmp_path, "graphs.npz"), tmp_path / "said.csv")
    ensemble = read_ensemble(inputs.train)
    joined = read_joined(inputs.prepare, "library", ensemble.join)[: len(graphs)]
    predicted = ensemble.predict(graphs, joined)
    expected = read_calibration(inputs.predict).answers(predicted, ensemble.targets)
    assert len(ensemble.members) > 1 and sorted(said) == sorted(expected)
    pd.testing.assert_frame_equal(said[list(expected)], expected, atol=1e-5, rtol=TOLERANCE)


def test_screening_takes_smiles_without_torch(
    exported: Path, finished: Workspace, tmp_path: Path
) -> None:
    """What the docstring of run.py says of how graphs.npz is made; a molecule without bonds too."""
    script = (
        "import sys; sys.modules['torch'] = None; import numpy as np\n"
        "from domains.screening.prepare.featurise import featurise\n"
        f"np.savez({str(tmp_path / 'graphs.npz')!r}, **vars(featurise(['C', 'CCO', 'C'])))\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
    said = table_of(
        run_py(exported / "screening" / "model", tmp_path, "graphs.npz"), tmp_path / "said.csv"
    )
    assert len(said) == 3 and said.notna().all(axis=None)
    assert said.iloc[0].tolist() == pytest.approx(said.iloc[2].tolist())
    assert said.iloc[0].tolist() != pytest.approx(said.iloc[1].tolist(), rel=1e-6)


def test_molecules_are_written_without_torch(
    exported: Path, finished: Workspace, tmp_path: Path
) -> None:
    inputs, folder = inputs_of(finished, "molecules"), exported / "molecules" / "model"
    writer = read_writer(inputs.train, list(fits_of(inputs.train))[-1])
    noise = next(noise_of(writer, 1, 5))[:200]
    tokens = writer.write(noise, drawn_at(inputs.predict))
    expected = spell(tokens.numpy(), writer.vocabulary)
    np.save(tmp_path / "noise.npy", torch.special.ndtr(noise.double()).numpy())
    script = (
        "part = runpy.run_path(sys.argv[1])\n"
        "import json, numpy, onnxruntime\n"
        "session = onnxruntime.InferenceSession(part['HERE'] / 'model.onnx')\n"
        "print(json.dumps(part['write'](session, numpy.load('noise.npy'))))"
    )
    said = json.loads(run_py(folder, tmp_path, script=script))
    same = [a == b for a, b in zip(said, expected, strict=True)]
    assert len(set(expected)) > 100 and np.mean(same) >= 0.99  # rounding may choose another token
    first, other = (run_py(folder, tmp_path, "7", seed).splitlines() for seed in "12")
    assert len(first) == len(other) == 7 and first != other


def test_run_py_says_how_it_is_called(exported: Path) -> None:
    for script in sorted(exported.glob("*/model/run.py")):
        run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
        assert run.returncode == 1 and "    python run.py " in run.stderr
        assert "Traceback" not in run.stderr


def test_images_may_have_any_size_and_number(exported: Path) -> None:
    session = onnxruntime.InferenceSession(exported / "segmentation" / "model" / "model.onnx")
    images = np.random.default_rng(0).random((3, 1, 37, 50), dtype=np.float32)
    together = session.run(None, {"image": images})[0]
    alone = session.run(None, {"image": images[1:2]})[0]
    assert together.shape[2:] == (37, 50)
    np.testing.assert_allclose(together[1:2], alone, atol=1e-6)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)
