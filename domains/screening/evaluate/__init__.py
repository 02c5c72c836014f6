"""How good, and against what?"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

    from .params import EvaluateParams


def evaluate(params: "EvaluateParams", inputs: "Inputs", out: Path) -> None:
    """Write metrics.json, scores.csv, baselines.json and curves/ on the test molecules.

    baselines.json: what was chosen for the baselines on validation, as the model's was.
    """
    from pipelines.core.artifacts import read_json, write_csv, write_json

    from ..prepare.arrays import read_targets
    from .answers import averaged, read_predictions
    from .baselines import FOREST, baseline_answers
    from .curves import curves
    from .groups import subgroups
    from .published import published_rows
    from .scores import BOTH, MODEL, headlines, score_table

    targets = read_targets(inputs.prepare)
    model = read_predictions(inputs.predict)
    level = read_json(inputs.predict / "calibration.json")["coverage"]
    others, rules = baseline_answers(
        inputs.prepare, model, targets, level, params.trees, params.seed
    )
    answers = {MODEL: model, BOTH: averaged(model, others[FOREST], targets), **others}
    tested = {
        name: table[table["split"] == "test"].reset_index(drop=True)
        for name, table in answers.items()
    }
    groups = subgroups(tested[MODEL], params.similarity_edges, params.smallest_group)
    published = published_rows(read_json(inputs.prepare / "card.json")["title"])
    scores = score_table(tested, groups, targets, params.seed, published)
    write_csv(out / "scores.csv", scores)
    write_json(out / "metrics.json", headlines(scores))
    write_json(out / "baselines.json", rules)
    (out / "curves").mkdir()  # also where there is nothing to draw
    for name, curve in curves(tested, targets, params.seed).items():
        write_csv(out / "curves" / f"{name}.csv", curve)
