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
    from ..prepare.arrays import Eyes, of_eyes, read_eyes
    from .answers import each_alone, of_patients, of_photographs, read_answers
    from .baselines import baseline_answers
    from .colours import colour_features
    from .curves import curves
    from .groups import subgroups
    from .oracles import oracle_answers
    from .published import published_rows
    from .scores import headlines, score_table

    eyes = read_eyes(inputs.prepare)
    level = read_calibration(inputs.predict).coverage
    features = colour_features(eyes.images)
    single = of_eyes(eyes.table, eyes.targets)
    people = Eyes(eyes.images, eyes.table, [t for t in eyes.targets if t not in single])
    others, rules = baseline_answers(people, features, level)
    others |= oracle_answers(inputs.prepare, people, level)
    whole = of_patients(read_answers(inputs.predict), others)
    answers = dict.fromkeys([target.name for target in people.targets], whole)
    if single:
        others, more = baseline_answers(each_alone(eyes, single), features, level)
        parts = of_photographs(inputs.predict, others)
        answers |= dict.fromkeys([target.name for target in single], parts)
        rules = {name: {**rule, **more[name]} for name, rule in rules.items()}
    asked = whole.model["model"]["patient"]
    groups = subgroups(asked, eyes, params.age_edges, params.smallest_group)
    published = published_rows(read_json(inputs.prepare / "card.json"), eyes.targets)
    scores = score_table(answers, groups, eyes.targets, params.seed, published)
    write_csv(out / "scores.csv", scores)
    write_json(out / "metrics.json", headlines(scores, eyes.targets))
    write_json(out / "baselines.json", rules)
    (out / "curves").mkdir()  # also where there is nothing to draw
    for name, curve in curves(answers, eyes).items():
        write_csv(out / "curves" / f"{name}.csv", curve)
