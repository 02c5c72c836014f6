"""How good, and against what?"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import EvaluateParams


def evaluate(params: "EvaluateParams", inputs: "Inputs", out: Path) -> None:
    """Write metrics.json, scores.csv, baselines.json and curves/ on the test patients.

    baselines.json: what was chosen for the baselines on validation, as the model's was.
    """
    from pipelines.core.artifacts import read_json, write_csv, write_json

    from ..predict.calibrate import read_calibration
    from ..prepare.arrays import read_eyes
    from .answers import read_answers
    from .curves import curves
    from .groups import subgroups
    from .methods import all_answers
    from .published import published_rows
    from .scores import headlines, score_table

    eyes = read_eyes(inputs.prepare)
    level = read_calibration(inputs.predict).coverage
    model = read_answers(inputs.predict)
    answers, rules = all_answers(model, inputs, eyes, level)
    groups = subgroups(model["model"]["patient"], eyes, params.age_edges, params.smallest_group)
    published = published_rows(read_json(inputs.prepare / "card.json"), eyes.targets)
    scores = score_table(answers, groups, eyes.targets, params.seed, published)
    write_csv(out / "scores.csv", scores)
    write_json(out / "metrics.json", headlines(scores, eyes.targets))
    write_json(out / "baselines.json", rules)
    (out / "curves").mkdir()  # also where there is nothing to draw
    for name, curve in curves(answers, eyes).items():
        write_csv(out / "curves" / f"{name}.csv", curve)
