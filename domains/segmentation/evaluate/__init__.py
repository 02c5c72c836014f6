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
    import numpy as np

    from pipelines.core.artifacts import write_csv, write_json

    from ..predict.files import read_labels, read_probabilities
    from ..prepare.arrays import read_format, read_samples
    from .baselines import baseline_labels
    from .calibration import reliability
    from .counts import tally
    from .scores import HEADLINES, f1_curves, score_table

    form = read_format(inputs.prepare)
    samples = read_samples(inputs.prepare, "validation", "test")
    tested = [s for s in samples if s.split == "test"]
    labels = {"model": [read_labels(inputs.predict, s) for s in tested]}
    others, rules = baseline_labels(inputs.prepare, form, params)
    tallies = {name: tally(tested, said, form) for name, said in {**labels, **others}.items()}
    scores = score_table(tallies, form, params.seed)
    write_csv(out / "scores.csv", scores)
    of_model = scores[(scores["row"] == "model") & (scores["group"] == "all")]
    values = dict(zip(of_model["metric"], of_model["value"], strict=True))
    known = {name: values[name] for name in HEADLINES if np.isfinite(values.get(name, np.nan))}
    write_json(out / "metrics.json", known)
    write_json(out / "baselines.json", rules)
    maps = read_probabilities(inputs.predict, samples)
    said = [m for m, s in zip(maps, samples, strict=True) if s.split == "test"]
    calibration = reliability(said, tested, form)
    ideal = calibration["confidence"]
    table = calibration[["confidence", "accuracy"]].rename(columns={"accuracy": "model"})
    write_csv(out / "curves" / "reliability.csv", table.assign(ideal=ideal))
    if form.labels == "instances":
        write_csv(out / "curves" / "f1_by_iou_threshold.csv", f1_curves(tallies))
