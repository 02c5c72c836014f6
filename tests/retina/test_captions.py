"""What captions and findings say of vessels, and of the best possible reader."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from domains.retina.evaluate.oracles import oracle_answers
from domains.retina.explain.attention import draw_attention
from domains.retina.explain.bayes import better_than_bayes
from domains.retina.explain.readings import draw_readings
from domains.retina.explain.subject import read_subject
from domains.retina.prepare.arrays import Target, read_eyes
from pipelines.core.artifacts import read_json, write_json
from pipelines.core.randomness import generator
from pipelines.core.runner import Inputs
from tests.retina.readers import AGE, chain


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    return chain(tmp_path, cohort=True)


def test_vessels_are_told_as_a_whole_and_in_parts(inputs: Inputs, tmp_path: Path) -> None:
    entry, findings = draw_attention(tmp_path, read_subject(inputs, 0), 4)
    assert "Vessels are all of them; large vessels" in entry["caption"]
    found = entry["caption"].split("Found on the vessels: ")[1].split("; ")
    for kind in ("gradient", "learnt attention", "randomised weights"):
        name = "attention on vessels for age, times their share of the area"
        told = findings[name if kind == "gradient" else f"{name}, {kind}"]
        assert f"age {told}" in next(part for part in found if part.startswith(kind))


def test_bayes_is_a_bound_only_where_no_false_cue_is_planted(
    inputs: Inputs, tmp_path: Path
) -> None:
    entry, findings = draw_readings(tmp_path, read_subject(inputs, 0))
    assert "no reader of photographs can be better" in entry["caption"]
    assert findings["read better than by the Bayes-optimal reader, which cannot be"] == "none"
    assert set(bounds(inputs)) == {"bayes", "oracle, regression on true anatomy"}
    path = inputs.prepare / "cohort.json"
    write_json(path, {**read_json(path), "shortcut": True})
    entry, findings = draw_readings(tmp_path, read_subject(inputs, 0))
    assert "without the false cue" in entry["caption"] and "no bound" in entry["caption"]
    assert "can be better" not in entry["caption"]
    assert "read better than by the Bayes-optimal reader without the false cue" in findings
    # The report takes rows that begin with "bayes" or "oracle" for bounds.
    assert all(name.startswith("without the false cue, ") for name in bounds(inputs))


def bounds(inputs: Inputs) -> dict[str, pd.DataFrame]:
    return oracle_answers(inputs.prepare, read_eyes(inputs.prepare), 0.9)


def test_to_be_better_than_bayes_is_told() -> None:
    rng = generator(9)
    age = rng.normal(57, 8, 200)
    sex = rng.integers(0, 2, 200).astype(float)
    targets = [AGE, Target("sex", "binary", "", "male")]

    def read(sd: float) -> pd.DataFrame:
        table = pd.DataFrame({"patient": [f"p{k}" for k in range(200)], "age": age, "sex": sex})
        logits = (2 * sex - 1) + rng.normal(0, sd, 200)
        table["age_mean"], table["sex_probability"] = age + rng.normal(0, sd, 200), logits
        return table

    good, poor = read(1.0), read(6.0)
    assert better_than_bayes(good, poor, targets) == ["age", "sex"]
    assert better_than_bayes(poor, good, targets) == []
    assert better_than_bayes(good, good, targets) == []
