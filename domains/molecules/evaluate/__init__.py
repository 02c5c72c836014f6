"""How good, and against what?"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import EvaluateParams


def evaluate(params: "EvaluateParams", inputs: "Inputs", out: Path) -> None:
    """Write metrics.json, scores.csv, baselines.json and curves/.

    baselines.json: order and smoothing of the n-gram writer, chosen on validation.
    """
    from pipelines.core.artifacts import write_csv, write_json

    from .curves import histograms
    from .drawn import baselines, draw_counts, drawn_rows, training_sample
    from .scores import headlines, score_all

    rows = drawn_rows(inputs.predict)
    count = len(rows["model"])
    rules: dict[str, Any] = {}
    if params.baselines:
        others, rules = baselines(inputs.prepare, count, params.seed)
        rows |= others
    rows["training molecules"] = training_sample(inputs.prepare, count, params.seed)
    scores, columns = score_all(rows, draw_counts(inputs.predict), inputs.prepare, params.seed)
    write_csv(out / "scores.csv", scores)
    write_json(out / "metrics.json", headlines(scores))
    write_json(out / "baselines.json", rules)
    for name, curve in histograms(columns).items():
        write_csv(out / "curves" / f"{name}.csv", curve)
