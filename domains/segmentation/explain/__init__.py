"""What has it really learnt?"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import ExplainParams


def explain(params: "ExplainParams", inputs: "Inputs", out: Path) -> None:
    """Write explain.json and its figures, one a module; each has the same control."""
    from pipelines.core.artifacts import read_json, write_json

    from ..predict.files import RULE, read_labels, read_probabilities, read_rule
    from ..predict.network import load
    from ..prepare.arrays import read_samples
    from .disagreement import draw_disagreement
    from .examples import draw_examples
    from .reliability import draw_reliability
    from .whitening import draw_whitening, randomised
    from .worst import draw_worst

    settings, rule = read_json(inputs.predict / RULE), read_rule(inputs.predict)
    tiles, temperature = settings["tiles"], settings["temperature"]
    model = load(inputs.train, **{**tiles, "views": 1})  # quicker, and turns change little
    control = randomised(model, params.seed)
    samples = read_samples(inputs.prepare, "validation", "test")
    tested = [s for s in samples if s.split == "test"]
    said = list(read_probabilities(inputs.predict, samples, "test"))
    labels = [read_labels(inputs.predict, s) for s in tested]
    some = tested[:: max(1, len(tested) // params.examples)][: params.examples]

    figures, findings = [], {}
    for figure, found in (
        draw_examples(out, tested, labels, control, rule, params.examples),
        draw_worst(out, tested, labels, control, rule, params.worst),
        draw_reliability(out, tested, said, model.form, temperature, control),
        draw_disagreement(out, some, model, control),
        draw_whitening(out, some, model, control, rule),
    ):
        figures.append(figure)
        findings.update(found)
    write_json(out / "explain.json", {"figures": figures, "findings": findings})
