"""`scistage export`: a trained model as ONNX, with all that is needed to run it without PyTorch.

What is exported of a domain is in its `predict/export.py`:

    def graph(inputs: Inputs) -> dict[str, Any]      # the fields of `Graph`
    def compare(inputs: Inputs, run: Run) -> Iterator[tuple[str, ndarray, ndarray]]

`run` takes arrays by the names of the graph's inputs to arrays by those of its outputs, by
onnxruntime. `compare` yields the name of an output, what `run` says of real samples, and what the
trained network says of the same by the code path of `predict`. Beside it lies
`predict/run_onnx.py`, which needs NumPy and onnxruntime alone and becomes `run.py`; its docstring
says how it is called.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pipelines.cli.check import require_domain
from pipelines.cli.lockfile import require_as_recorded
from pipelines.cli.trained import part_of, partial_folder
from pipelines.core.environment import prepare_process
from pipelines.core.errors import UserError
from pipelines.core.runner import Inputs, inputs_of, require_outputs

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    Arrays = dict[str, NDArray[Any]]
    Run = Callable[[Arrays], Arrays]

MODEL = "model.onnx"
OPSET = 18  # of ONNX: the lowest in which sums over an index are part of scattering
TOLERANCE = 1e-4  # what onnxruntime may differ by: TOLERANCE · (1 + |PyTorch's value|)
READ = ("prepare", "train", "predict", "evaluate")
# The graph is float32 on a CPU, and so must be what it is compared with.
EXACT = {"SCISTAGE_ACCELERATOR": "cpu", "SCISTAGE_PRECISION": "32-true"}


@dataclass(frozen=True)
class Graph:
    """What a domain exports.

    network: in evaluation mode, on the CPU; takes the tensors of `example` in their order and gives
    a tuple in the order of `outputs`. example: of each input a tensor to trace with. inputs,
    outputs: of each name `shape`, in which a text stands for a length that is free, and `meaning`,
    with the unit. preprocessing: what else must be known to use them. limits: sentences for the
    model card.
    """

    network: nn.Module
    example: dict[str, Tensor]
    inputs: dict[str, dict[str, Any]]
    outputs: dict[str, dict[str, Any]]
    preprocessing: dict[str, Any]
    limits: list[str]


@dataclass(frozen=True)
class Difference:
    """How far onnxruntime is from PyTorch on real samples: the largest of `values` numbers.

    absolute: in the output's unit; relative: to the output's largest absolute value.
    """

    output: str
    values: int
    absolute: float
    relative: float


def export(domain: str, out: Path) -> int:
    """Write model.onnx, preprocessing.json, model_card.md and run.py into the folder `out`.

    All of them or none: only if onnxruntime says what PyTorch says. Raises UserError for a domain
    that cannot be exported or is not trained, and a folder that holds something else.
    """
    require_domain(domain)
    prepare_process()
    module = part_of(domain, "export", "cannot be exported")
    _refuse(out)
    require_as_recorded(domain)
    require_outputs(domain, READ)
    with partial_folder(out) as folder, _exact():
        differences = _write(module, domain, folder)
        written = sorted(folder.iterdir())
        for path in written:
            path.replace(out / path.name)
    print(f"{domain}: largest difference between onnxruntime and PyTorch, on real samples:")
    for one in differences:
        print(
            f"  {one.output}: {one.absolute:.2g}, or {one.relative:.2g} of the largest value "
            f"({one.values:,} values)"
        )
    print(f"{len(written)} files written to {out}")
    return 0


def _refuse(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: is a file; name a folder to write to")
    if out.is_dir() and any(out.iterdir()) and not (out / MODEL).is_file():
        raise UserError(f"{out}: holds other files; name a new or empty folder, or an export")


def _write(module: ModuleType, domain: str, out: Path) -> list[Difference]:
    from pipelines.cli.model_card import model_card

    graph, differences = write_model(module, domain, inputs_of(domain), out)
    script = (out / "run.py").read_text(encoding="utf-8")
    text = model_card(domain, graph, differences, script)
    (out / "model_card.md").write_text(text, encoding="utf-8")
    return differences


def write_model(
    module: ModuleType, domain: str, inputs: Inputs, out: Path
) -> tuple[Graph, list[Difference]]:
    """Write model.onnx, preprocessing.json and run.py; how far the first is from PyTorch.

    module: the domain's `predict/export.py`. Raises UserError if it is too far.
    """
    from pipelines.core.artifacts import write_json

    graph = Graph(**module.graph(inputs))
    write_onnx(graph, out / MODEL)
    differences = parity(domain, module.compare(inputs, runner(out / MODEL)))
    ports = {"inputs": graph.inputs, "outputs": graph.outputs}
    write_json(out / "preprocessing.json", {"domain": domain, **ports, **graph.preprocessing})
    shutil.copyfile(Path(str(module.__file__)).with_name("run_onnx.py"), out / "run.py")
    return graph, differences


def write_onnx(graph: Graph, path: Path) -> None:
    """Trace the network and write it as ONNX, its weights in the same file."""
    import onnx
    import torch

    ports = {**graph.inputs, **graph.outputs}
    free = {
        name: {axis: size for axis, size in enumerate(port["shape"]) if isinstance(size, str)}
        for name, port in ports.items()
    }
    with warnings.catch_warnings():
        # Tracing warns of each length that it takes for fixed; `compare` shows if one is not.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.network,
            tuple(graph.example[name] for name in graph.inputs),
            str(path),
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_axes=free,
            opset_version=OPSET,
            dynamo=False,  # its successor needs two more packages
        )
    onnx.checker.check_model(str(path), full_check=True)


def runner(path: Path) -> Run:
    """The graph in a file, by onnxruntime on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = prepare_process().threads
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]

    def run(arrays: Arrays) -> Arrays:
        return dict(zip(names, session.run(names, arrays), strict=True))

    return run


def parity(
    domain: str, compared: Iterable[tuple[str, NDArray[Any], NDArray[Any]]]
) -> list[Difference]:
    """The largest difference of each output.

    compared: as a domain's `compare` yields. Raises UserError if one exceeds the tolerance.
    """
    import numpy as np

    values: dict[str, int] = {}
    largest: dict[str, list[float]] = {}  # of each output: the difference, and the value
    for name, said, expected in compared:
        if said.shape != expected.shape:
            raise ValueError(f"{name}: {said.shape} from onnxruntime, {expected.shape} expected")
        gap, size = np.abs(said.astype(float) - expected), np.abs(expected)
        if not (gap <= TOLERANCE * (1 + size)).all():
            raise UserError(
                f"{domain}: {name}: onnxruntime differs from PyTorch by up to {gap.max():.2g}; "
                f"{TOLERANCE:g} · (1 + |value|) is allowed: nothing is written"
            )
        values[name] = values.get(name, 0) + gap.size
        before = largest.get(name, [0.0, 0.0])
        largest[name] = [max(before[0], float(gap.max())), max(before[1], float(size.max()))]
    if not values:
        raise UserError(f"{domain}: no sample to compare onnxruntime with PyTorch on")
    return [
        Difference(name, values[name], gap, gap / (size or 1.0))
        for name, (gap, size) in largest.items()
    ]


@contextmanager
def _exact() -> Iterator[None]:
    """Have PyTorch compute in float32 on the CPU, whatever `predict` has computed in."""
    before = {name: os.environ.get(name) for name in EXACT}
    os.environ.update(EXACT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
