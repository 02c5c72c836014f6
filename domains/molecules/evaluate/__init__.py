"""How good, and against what?"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import EvaluateParams


def evaluate(params: "EvaluateParams", inputs: "Inputs", out: Path) -> None:
    """Write metrics.json, scores.csv, baselines.json and curves/.

    baselines.json: order and smoothing of the n-gram writer, chosen on validation.
    """
    from pipelines.core.artifacts import read_json, write_csv, write_json

    from .curves import histograms
    from .drawn import draw_counts, drawn_rows
    from .scores import columns, compare, headlines, score_sets, table
    from .standing import standing

    rows = drawn_rows(inputs.predict)
    count = len(rows["model"])
    against = compare(inputs.prepare, count, params.seed)
    others, rules = standing(inputs.prepare, count, params.seed, against)
    scored = score_sets(rows, against) | others
    title = read_json(inputs.prepare / "card.json")["title"]
    scores = table(scored, draw_counts(inputs.predict), title)
    write_csv(out / "scores.csv", scores)
    write_json(out / "metrics.json", headlines(scores))
    write_json(out / "baselines.json", rules)
    for name, curve in histograms(columns(scored, against)).items():
        write_csv(out / "curves" / f"{name}.csv", curve)
