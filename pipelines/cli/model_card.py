"""model_card.md of an exported model: what it is, how to run it, its data, scores and limits.

All of it comes from what the stages have left, so that it says what the report says.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core.artifacts import read_json
from pipelines.core.contract import read_card
from pipelines.core.params import load_params
from pipelines.core.runner import inputs_of
from pipelines.report.formatting import DASH, plain
from pipelines.report.scores import Score, headlines, read_scores

if TYPE_CHECKING:
    from pipelines.cli.export import Difference, Graph
    from pipelines.report.params import ReportParams


def model_card(domain: str, graph: Graph, differences: list[Difference], script: str) -> str:
    """The card as Markdown. script: the text of run.py, whose docstring says how it is called."""
    inputs = inputs_of(domain)
    card = read_card(inputs.prepare)
    report: Any = load_params(domain, "report")
    parts = [
        f"# {report.title}",
        card["description"],
        "## Model",
        *_model(graph, read_json(inputs.train / "model.json")["fits"]),
        "## How to run it",
        *_usage(script),
        "## Parity with PyTorch",
        *_parity(differences),
        "## Data",
        *_data(card),
        "## Metrics",
        *_metrics(inputs.evaluate, report, card),
        "## Limits",
        _list(graph.limits),
        "From the data card:",
        _list(card["notes"]),
        "## Licence",
        f"Code, `run.py` among it: Apache-2.0. Data: {_licence(card)}. The weights are learnt from "
        "these data: read their licence before you pass the model on.",
    ]
    return "\n\n".join(parts) + "\n"


def _model(graph: Graph, fits: dict[str, Any]) -> Iterable[str]:
    count = sum(parameter.numel() for parameter in graph.network.parameters())
    yield (
        f"`model.onnx`: {count:,} weights, float32. Its inputs and outputs, as "
        "`preprocessing.json` has them too, beside all else that must be known to use them:"
    )
    yield _table(
        ("", "name", "shape", "meaning"),
        [
            (kind, f"`{name}`", plain(port["shape"]), port["meaning"])
            for kind, ports in (("input", graph.inputs), ("output", graph.outputs))
            for name, port in ports.items()
        ],
    )
    yield "Trained as (of each fit the epoch that was best on validation):"
    yield _table(
        ("fit", "epoch", "chosen by", "made of"),
        [(name, _epoch(fit), fit["monitor"], _made_of(name, fits)) for name, fit in fits.items()],
    )


def _epoch(fit: dict[str, Any]) -> str:
    return f"{fit['selected_epoch'] + 1} of {fit['epochs']}"  # they are counted from 0


def _made_of(name: str, fits: dict[str, Any]) -> str:
    model = fits[name]["model"]
    first = next(other for other, fit in fits.items() if fit["model"] == model)
    if first != name:
        return f"as {first}"
    return "; ".join(f"{part}: {plain(value)}" for part, value in model.items())


def _usage(script: str) -> Iterable[str]:
    yield "`pip install numpy onnxruntime`; PyTorch is not needed."
    yield ast.get_docstring(ast.parse(script)) or ""


def _parity(differences: list[Difference]) -> Iterable[str]:
    yield (
        "Largest difference between onnxruntime and PyTorch, both in float32 on a CPU, on real "
        "samples that the model has not learnt from:"
    )
    yield _table(
        ("output", "values compared", "absolute", "relative to the largest value"),
        [
            (f"`{one.output}`", f"{one.values:,}", f"{one.absolute:.2g}", f"{one.relative:.2g}")
            for one in differences
        ],
    )


def _data(card: dict[str, Any]) -> Iterable[str]:
    source = card["source"]
    yield _list(
        [
            f"{card['title']}: {source.get('name', DASH)}",
            f"licence: {_licence(card)}",
            f"to cite: {source.get('citation', DASH)}",
            *(f"{split}: {plain(counts)}" for split, counts in card["splits"].items()),
            *(
                f"left out: {one['count']:,} {one['what']}: {one['why']}"
                for one in card["excluded"]
            ),
        ]
    )


def _licence(card: dict[str, Any]) -> str:
    return str(card["source"].get("licence") or "not stated")


def _metrics(folder: Path, report: ReportParams, card: dict[str, Any]) -> Iterable[str]:
    scores = read_scores(folder / "scores.csv")
    found = headlines(scores, report.headline, report.units_with(card), folder)
    yield (
        f"On the test split, with 95 % intervals: {card['intervals']} They are of one training, "
        "and of what `predict` said, in bfloat16 where that suits the network and the processor: "
        "from that `model.onnx`, in float32, may differ by more than is named under parity."
    )
    yield _table(
        ("metric", "model", "n", "best baseline", "model minus it"),
        [
            (
                f"{one.metric}, {one.unit}" if one.unit else one.metric,
                _score(one.model),
                plain(one.model.n),
                f"{_score(one.best.score)} ({one.best.score.name})" if one.best else DASH,
                _score(one.best.difference) if one.best and one.best.difference else DASH,
            )
            for one in found
        ],
    )


def _score(score: Score) -> str:
    return DASH if score.value is None else f"{score.text} {score.interval}"


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(c.replace('|', '∣') for c in line)} |" for line in lines)
