"""All methods on every target: the model, the baselines, and the bounds of a cohort."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipelines.core.runner import Inputs

from ..prepare.arrays import Eyes, of_eyes
from .answers import Answers, each_alone, of_patients, of_photographs
from .baselines import baseline_answers
from .colours import colour_features
from .oracles import oracle_answers


def all_answers(
    model: Mapping[str, pd.DataFrame], inputs: Inputs, eyes: Eyes, level: float
) -> tuple[dict[str, Answers], dict[str, Any]]:
    """The answers about each target by its name, and what was chosen for baselines on validation.

    Of patients; of targets that belong to an eye of photographs. model: its answers about patients,
    as `read_answers` gives them; level: of prediction intervals.
    """
    features = colour_features(eyes.images)
    single = of_eyes(eyes.table, eyes.targets)
    people = Eyes(eyes.images, eyes.table, [t for t in eyes.targets if t not in single])
    others, rules = baseline_answers(people, features, level)
    others |= oracle_answers(inputs.prepare, people, level)
    whole = of_patients(model, others)
    answers = dict.fromkeys([target.name for target in people.targets], whole)
    if single:
        others, more = baseline_answers(each_alone(eyes, single), features, level)
        parts = of_photographs(inputs.predict, others)
        answers |= dict.fromkeys([target.name for target in single], parts)
        rules = {name: {**rule, **more[name]} for name, rule in rules.items()}
    return answers, rules
