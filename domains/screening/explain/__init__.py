"""What has it really learnt?"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import ExplainParams


def explain(params: "ExplainParams", inputs: "Inputs", out: Path) -> None:
    """Write explain.json and its figures, one a module, about the first target."""
    from pipelines.core.artifacts import write_json

    from .atoms import draw_atoms
    from .carriers import draw_carriers
    from .hits import draw_hits
    from .pairs import draw_pairs
    from .subject import read_subject

    subject = read_subject(inputs, params.seed)
    drawn = [
        draw_hits(out, inputs.predict, subject.target, len(subject.ensemble.members)),
        draw_atoms(out, subject),
        draw_carriers(out, subject, params.molecules, params.seed),
        draw_pairs(out, subject, params.molecules, params.seed),
    ]
    told = [entry for entry in drawn if entry]
    found = {name: value for _, findings in told for name, value in findings.items()}
    write_json(out / "explain.json", {"figures": [figure for figure, _ in told], "findings": found})
