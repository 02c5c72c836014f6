"""How good, and against what?"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import EvaluateParams


def evaluate(params: "EvaluateParams", inputs: "Inputs", out: Path) -> None:
    """Write metrics.json, scores.csv, baselines.json and curves/ on the test samples.

    baselines.json: the rule of each baseline, chosen on validation as the model's was.
    """
    import pandas as pd

    from pipelines.core.artifacts import read_json, write_csv, write_json

    from ..predict.files import RULE, read_labels, read_probabilities
    from ..prepare.arrays import read_format, read_samples
    from .baselines import baseline_labels
    from .calibration import calibration_rows, reliability, scaled
    from .counts import tally
    from .published import published_rows
    from .scores import f1_curves, headlines, score_table

    form = read_format(inputs.prepare)
    samples = read_samples(inputs.prepare, "validation", "test")
    tested = [s for s in samples if s.split == "test"]
    labels = {"model": [read_labels(inputs.predict, s) for s in tested]}
    postprocess = read_json(inputs.predict / RULE)
    others, rules = baseline_labels(inputs.prepare, form, params, postprocess["objective"])
    tallies = {n: tally(tested, said, form, by_image=True) for n, said in (labels | others).items()}
    said = list(read_probabilities(inputs.predict, samples, "test"))
    rows = calibration_rows(said, tested, form, postprocess["temperature"])
    rows += published_rows(read_json(inputs.prepare / "card.json")["title"])
    scores = score_table(tallies, form, params.seed)
    scores = pd.concat([scores, pd.DataFrame(rows, columns=scores.columns)])
    write_csv(out / "scores.csv", scores)
    write_json(out / "metrics.json", headlines(scores))
    write_json(out / "baselines.json", rules)
    curve = reliability(scaled(said, form, postprocess["temperature"]), tested, form)
    curve = curve[["confidence", "accuracy"]]
    curve = curve.rename(columns={"accuracy": "share_right"}).assign(ideal=curve["confidence"])
    write_csv(out / "curves" / "reliability_after_scaling.csv", curve)
    if form.labels == "instances":
        write_csv(out / "curves" / "f1_by_iou_threshold.csv", f1_curves(tallies))
