"""The mean and the regression on colours know nothing of the test eyes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from domains.retina.evaluate.baselines import mean_answers, regression_answers
from domains.retina.prepare.arrays import Eyes, read_eyes
from tests.retina.made import made_prepare


def test_colours_have_the_scale_of_the_training_eyes(tmp_path: Path) -> None:
    eyes = read_eyes(made_prepare(tmp_path, n=24, size=16))
    features = np.random.default_rng(0).normal(size=(len(eyes.table), 3))
    tested = (eyes.table["split"] == "test").to_numpy()
    said = []
    for scale in (1, 100):
        answers, _ = regression_answers(eyes, np.where(tested[:, None], scale, 1) * features, 0.9)
        said.append(answers.loc[answers["split"] != "test", "age_mean"])
    pd.testing.assert_series_equal(*said)


def test_a_strength_is_not_chosen_by_labels_of_the_test(tmp_path: Path) -> None:
    eyes = read_eyes(made_prepare(tmp_path, n=24, size=16))
    features = np.random.default_rng(0).normal(size=(len(eyes.table), 3))
    tested = eyes.table["split"] == "test"
    strengths = []
    for size in (-100, 0, 100):  # as if the penalty should be large, or small
        age = np.where(tested, 57 + size * features[:, 0], eyes.table["age"])
        other = Eyes(eyes.images, eyes.table.assign(age=age), eyes.targets)
        strengths.append(regression_answers(other, features, 0.9)[1]["age"])
    assert len(set(strengths)) == 1


def test_intervals_of_baselines_know_no_label_of_the_test(tmp_path: Path) -> None:
    eyes = read_eyes(made_prepare(tmp_path, n=24, size=16))
    older = eyes.table["age"] + 50 * (eyes.table["split"] == "test")
    other = Eyes(eyes.images, eyes.table.assign(age=older), eyes.targets)
    ends = [mean_answers(one, 0.9)[["age_low", "age_high"]] for one in (eyes, other)]
    pd.testing.assert_frame_equal(*ends)
