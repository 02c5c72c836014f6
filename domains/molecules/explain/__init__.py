"""What has it really learnt?"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import ExplainParams


def explain(params: "ExplainParams", inputs: "Inputs", out: Path) -> None:
    """Write explain.json and its figures, one a module; what does not exist has none."""
    from pipelines.core.artifacts import write_json
    from pipelines.training.reproducible import prepare_torch

    from ..prepare.arrays import read_corpus
    from ..train.reading import fits_of, read_critic, read_writer
    from .gallery import draw_gallery
    from .interpolation import draw_interpolation
    from .memory import draw_memory
    from .mistakes import draw_mistakes
    from .objections import draw_objections
    from .sets import read_sets
    from .space import draw_space
    from .spread import draw_spread

    prepare_torch()
    fits = list(fits_of(inputs.train))
    writer = read_writer(inputs.train, fits[-1])
    sets = read_sets(inputs, params.molecules, params.seed)
    validation = read_corpus(inputs.prepare, "validation")
    drawn = [
        draw_gallery(out, sets, params.seed),
        draw_spread(out, sets),
        draw_memory(out, sets),
        draw_mistakes(out, sets, writer.longest),
        draw_space(out, sets, params.mapped, params.seed),
        draw_interpolation(out, writer, validation, params.pairs, params.seed),
    ]
    if "adversarial" in fits:
        critic = read_critic(inputs.train)
        drawn.append(
            draw_objections(out, critic, writer.vocabulary, sets, params.judged, params.seed)
        )
    figures, findings = zip(*filter(None, drawn), strict=True)
    found = {name: value for part in findings for name, value in part.items()}
    write_json(out / "explain.json", {"figures": list(figures), "findings": found})
