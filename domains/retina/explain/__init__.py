"""What has it really learnt?"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import ExplainParams


def explain(params: "ExplainParams", inputs: "Inputs", out: Path) -> None:
    """Write explain.json and its figures, one a module, each with the same control."""
    from pipelines.core.artifacts import write_json

    from .attention import draw_attention
    from .counterfactual import draw_counterfactual
    from .deletion import draw_deletion
    from .readings import draw_readings
    from .shortcuts import draw_shortcuts
    from .slopes import draw_slopes
    from .subject import read_subject

    subject = read_subject(inputs, params.seed)
    drawn = [
        draw_readings(out, subject),
        draw_attention(out, subject, params.eyes),
        draw_deletion(out, subject, params.eyes),
        draw_counterfactual(out, subject, params.persons, params.change_mmhg),
        draw_slopes(out, subject, params.resamples, params.seed),
        draw_shortcuts(out, subject, params.eyes),
    ]
    figures, findings = zip(*filter(None, drawn), strict=True)
    found = {name: value for part in findings for name, value in part.items()}
    write_json(out / "explain.json", {"figures": list(figures), "findings": found})
