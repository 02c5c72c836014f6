"""`export`: each domain's trained model as ONNX, run where there is no PyTorch."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from pipelines.cli.export import TOLERANCE, parity
from pipelines.core.artifacts import read_json
from pipelines.core.errors import UserError
from pipelines.report.scores import read_scores
from tests.imports import EXPORTED
from tests.workspace import ROOT, Workspace, one_line_error

WRITTEN = ["model.onnx", "model_card.md", "preprocessing.json", "run.py"]


@pytest.fixture(params=EXPORTED)
def domain(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(domain: str, exported: Path) -> Path:
    return exported / domain / "model"


def test_an_export_is_whole_and_its_difference_is_told(domain: str, model: Path) -> None:
    assert sorted(path.name for path in model.iterdir()) == WRITTEN
    assert sorted(path.name for path in model.parent.iterdir()) == ["model", "printed.txt"]
    first, *differences, last = (model.parent / "printed.txt").read_text().splitlines()
    assert (
        first == f"{domain}: largest difference between onnxruntime and PyTorch, on real samples:"
    )
    assert last == f"4 files written to {model}"
    found = [
        re.fullmatch(r"  (\w+): (\S+), or (\S+) of .* \(([\d,]+) values\)", d) for d in differences
    ]
    assert found and all(found)
    outputs = read_json(model / "preprocessing.json")["outputs"]
    assert {f[1] for f in found if f} <= set(outputs)
    assert all(float(f[2]) < 1e-2 and float(f[3]) < TOLERANCE for f in found if f)


def test_the_description_is_that_of_the_graph(domain: str, model: Path) -> None:
    session = onnxruntime.InferenceSession(model / "model.onnx")
    described = read_json(model / "preprocessing.json")
    for kind, ports in (("inputs", session.get_inputs()), ("outputs", session.get_outputs())):
        assert [port.name for port in ports] == list(described[kind])
        for port in ports:
            shape, text = described[kind][port.name]["shape"], described[kind][port.name]["meaning"]
            assert len(port.shape) == len(shape)
            fixed = [s for s in shape if isinstance(s, int)]
            assert [s for s in port.shape if isinstance(s, int)] == fixed, port.name
            if kind == "inputs" and domain != "segmentation":
                kinds = {"int64": "int64", "uint8": "uint8", "float32": "float"}
                assert port.type == f"tensor({kinds.get(text.split(',')[0])})", (
                    "begin with its type"
                )


def test_nothing_of_this_machine_is_in_an_export(model: Path, finished: Workspace) -> None:
    for path in model.iterdir():
        content = path.read_bytes()
        for place in (ROOT, finished.path, Path.home(), Path(sys.prefix).resolve()):
            assert str(place).encode() not in content, path.name


def test_the_same_model_gives_the_same_bytes(
    exported: Path, finished: Workspace, tmp_path: Path
) -> None:
    run = finished.run("export", "screening", "-o", str(tmp_path / "again"))
    assert run.returncode == 0, run.stderr
    for name in WRITTEN:
        first = (exported / "screening" / "model" / name).read_bytes()
        assert first == (tmp_path / "again" / name).read_bytes(), name


def test_the_card_names_data_licence_scores_and_limits(
    domain: str, model: Path, finished: Workspace
) -> None:
    outputs = finished.path / "outputs" / domain
    text = (model / "model_card.md").read_text(encoding="utf-8")
    card = read_json(outputs / "prepare" / "card.json")
    parts = dict(re.findall(r"^## (.+)\n\n((?:(?!## ).*\n?)*)", text, flags=re.M))
    assert list(parts) == [
        *("Model", "How to run it", "Parity with PyTorch", "Data", "Metrics", "Limits", "Licence")
    ]
    assert text.split("\n\n")[1] == card["description"]  # synthetic data are called so first of all
    assert (
        card["source"]["licence"] in parts["Data"] and card["source"]["licence"] in parts["Licence"]
    )
    assert card["source"]["citation"] in parts["Data"]
    assert "python run.py" in parts["How to run it"]
    assert all(f"- {note}" in parts["Limits"] for note in card["notes"])
    own, notes = parts["Limits"].split("From the data card:")
    assert own.startswith("- ") and notes.count("\n- ") == len(card["notes"])
    scores = read_scores(outputs / "evaluate" / "scores.csv")
    ours = [s for s in scores if s.row == "model" and s.group == "all"]
    shown = [s for s in ours if f"| {s.text} {s.interval} |" in parts["Metrics"]]
    assert shown and any(s.low is not None for s in shown)
    assert card["intervals"] in parts["Metrics"]
    assert "nan" not in parts["Metrics"] and "– –" not in parts["Metrics"]
    if domain == "retina":
        assert "No medical device" in parts["Limits"] and "drawn eyes" in parts["Limits"]


def test_parity_refuses_what_differs_and_what_is_no_number() -> None:
    one = np.array([1.0, -200.0])
    told = parity(
        "x",
        [("a", one, one + np.array([0, 1e-3])), ("b", one, one), ("a", one[:1], one[:1] + 1e-5)],
    )
    assert [(d.output, d.values) for d in told] == [("a", 3), ("b", 2)]
    assert told[0].absolute == pytest.approx(1e-3, 1e-6)
    assert told[0].relative == pytest.approx(5e-6, 1e-4)
    for wrong in (one + np.array([1e-3, 0]), one * np.nan, one * np.inf):
        with pytest.raises(UserError, match=r"x: a: onnxruntime differs .* nothing is written"):
            parity("x", [("a", wrong, one)])
    with pytest.raises(ValueError, match="expected"):
        parity("x", [("a", one, one[:1])])
    with pytest.raises(UserError, match="no sample"):
        parity("x", [])


def test_mistakes_are_one_line_and_leave_nothing(
    spectra: Workspace, finished: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "run.py").write_text("mine")
    out = str(tmp_path / "out")
    unknown, taken, full, unable = finished.run_many(
        ["export", "nothing", "-o", out],
        ["export", "retina", "-o", str(tmp_path / "file")],
        ["export", "retina", "-o", str(tmp_path / "full")],
        ["export", "retina", "-o", str(tmp_path / "file" / "out")],
    )
    none = spectra.run("export", "spectra", "-o", out)
    assert "no domain 'nothing'" in one_line_error(unknown)
    assert "file: is a file; name a folder to write to" in one_line_error(taken)
    assert "full: holds other files; name a new or empty folder" in one_line_error(full)
    assert "cannot be written to" in one_line_error(unable)
    assert "spectra: cannot be exported; it has no predict/export.py" in one_line_error(none)
    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "full", "project"]
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["run.py"]


EXPORT = """import torch


class Half(torch.nn.Module):
    def forward(self, x):
        return (x / 2,)


def graph(inputs):
    port = {"shape": ["N", 3], "meaning": "float32, three numbers"}
    return {"network": Half(), "example": {"x": torch.ones(2, 3)}, "inputs": {"x": port},
            "outputs": {"y": port}, "preprocessing": {}, "limits": ["None."]}


def compare(inputs, run):
    x = torch.rand(5, 3)
    yield "y", run({"x": x.numpy()})["y"], (x * FACTOR).numpy()
"""


@pytest.fixture
def halved(spectra: Workspace) -> Workspace:
    """A workspace whose domain has an export of its own."""
    folder = spectra.path / "domains/spectra/predict"
    (folder / "export.py").write_text(f"FACTOR = 0.5\n{EXPORT}")
    (folder / "run_onnx.py").write_text('"""python run.py"""\n')
    return spectra


def test_a_graph_that_says_something_else_is_not_written(halved: Workspace, tmp_path: Path) -> None:
    out, file = tmp_path / "out", halved.path / "domains/spectra/predict/export.py"
    assert halved.run("export", "spectra", "-o", str(out)).returncode == 0
    before = (out / "model_card.md").read_bytes()
    file.write_text(f"FACTOR = 0.51\n{EXPORT}")
    wrong, new = halved.run_many(
        ["export", "spectra", "-o", str(out)], ["export", "spectra", "-o", str(tmp_path / "new")]
    )
    for run in (wrong, new):
        assert "spectra: y: onnxruntime differs from PyTorch by up to 0.0" in one_line_error(run)
    assert (out / "model_card.md").read_bytes() == before and len(list(out.iterdir())) == 4
    assert not (tmp_path / "new").exists() and not list(tmp_path.glob(".partial-*"))


def test_an_export_needs_what_is_trained_and_its_packages(
    halved: Workspace, tmp_path: Path
) -> None:
    out = str(tmp_path / "out")
    script = (
        "import sys\nsys.modules['onnx'] = None\n"
        "from pipelines.cli.main import main\n"
        f"sys.exit(main(['export', 'spectra', '-o', {out!r}]))"
    )
    missing = halved.process([sys.executable, "-c", script])
    assert "the package 'onnx' is missing from" in one_line_error(missing)
    for stage, name in (("evaluate", "scores.csv"), ("train", "weights.safetensors")):
        (halved.path / "outputs/spectra" / stage / name).unlink()
        run = halved.run("export", "spectra", "-o", out)
        assert f"{stage}/{name}: not found; run `scistage repro spectra` first" in one_line_error(
            run
        )
    shutil.rmtree(halved.path / "outputs")
    assert "prepare/card.json: not found" in one_line_error(
        halved.run("export", "spectra", "-o", out)
    )
    assert not (tmp_path / "out").exists()
