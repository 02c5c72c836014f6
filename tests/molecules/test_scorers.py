"""Rewards: what a goal gives, how goals combine, and mistakes in them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from rdkit import Chem
from rdkit.Chem import Mol

from domains.molecules.train.goals import Goal
from domains.molecules.train.scorers import UNMET, GoalScorer, Scorer, check_goals, geometric_mean
from pipelines.chemistry.properties import properties
from pipelines.core.errors import UserError
from tests.workspace import ROOT

ASPIRIN, PHENOL, PARAFFIN = "CC(=O)Oc1ccccc1C(=O)O", "Oc1ccccc1", "C" * 12
LOGP_ASPIRIN = 1.3101


def mols(*smiles: str) -> list[Mol | None]:
    return [Chem.MolFromSmiles(text) for text in smiles]


def scorer(*goals: dict[str, Any]) -> GoalScorer:
    return GoalScorer([Goal.model_validate(goal) for goal in goals])


def test_inside_the_range_is_one_and_a_margin_outside_is_a_half() -> None:
    at = mols(ASPIRIN)
    for low, high, expected in (
        (LOGP_ASPIRIN - 0.1, LOGP_ASPIRIN + 0.1, 1),
        (LOGP_ASPIRIN + 0.5, None, 0.5),
        (None, LOGP_ASPIRIN - 0.5, 0.5),
        (LOGP_ASPIRIN + 1.5, 9, 0.125),
    ):
        judged = scorer({"property": "logp", "low": low, "high": high, "margin": 0.5}).judge(at)
        assert judged.score[0] == pytest.approx(expected)
        assert judged.satisfied[0] == (expected == 1)


@pytest.mark.parametrize("name", ["qed", "logp", "weight", "sa"])
def test_the_nearer_to_the_range_the_higher_the_score(name: str) -> None:
    molecules = mols(*("C" * n for n in range(2, 14)), ASPIRIN, PHENOL)
    values = np.array([getattr(properties(mol), name) for mol in molecules])
    low = float(np.quantile(values, 0.9))
    judged = scorer({"property": name, "low": low}).judge(molecules)
    assert (np.diff(judged.score[np.argsort(values)]) >= 0).all()
    np.testing.assert_array_equal(judged.satisfied, values >= low)
    below = np.unique(values[values < low])
    assert len(np.unique(judged.score[values < low])) == len(below), "no gradient"
    assert (judged.score > 0).all() and (judged.score <= 1).all()


def test_no_molecule_scores_nothing_whatever_is_asked_for() -> None:
    nothing = [None, *mols("")]
    for goal in (
        {"property": "qed", "low": 0},
        {"similar_to": ASPIRIN, "at_least": 0.1},
        {"smarts": "[N+]", "required": False},
    ):
        judged = scorer(goal).judge(nothing)
        assert judged.score.tolist() == [0, 0]
        assert judged.satisfied.tolist() == [False, False]
    assert scorer({"property": "sa", "high": 3})([]).shape == (0,)


def test_a_molecule_is_like_itself_and_less_like_others() -> None:
    goal = {"similar_to": ASPIRIN, "at_least": 1}
    judged = scorer(goal).judge(mols("OC(=O)c1ccccc1OC(C)=O", "CC(=O)Oc1ccccc1", PARAFFIN))
    assert judged.score[0] == 1
    assert judged.score[0] > judged.score[1] > judged.score[2]
    assert judged.satisfied.tolist() == [True, False, False]
    assert scorer({"similar_to": ASPIRIN, "at_least": 0.2})(mols(ASPIRIN))[0] == 1


def test_substructures_are_required_or_forbidden() -> None:
    carboxyl = "C(=O)[OX2H1]"
    pair = mols(ASPIRIN, PHENOL)
    for required, expected in ((True, [1, UNMET]), (False, [UNMET, 1])):
        judged = scorer({"smarts": carboxyl, "required": required}).judge(pair)
        assert judged.score.tolist() == pytest.approx(expected)
        assert judged.satisfied.tolist() == [value == 1 for value in expected]


def test_a_hydrogen_of_a_pattern_is_one_that_the_atom_carries() -> None:
    mols = [Chem.MolFromSmiles(text) for text in ("CCO", "COC")]
    for required in (True, False):
        judge = GoalScorer([Goal(smarts="[H]O", required=required)]).judge
        assert judge(mols).satisfied.tolist() == [required, not required]


def test_likeness_is_to_the_molecule_as_training_molecules_are_spelt() -> None:
    like = GoalScorer([Goal(similar_to="CCN(CC)CC.Cl", at_least=1.0)])
    assert like.judge([Chem.MolFromSmiles("CCN(CC)CC")]).satisfied.all()


def test_goals_multiply_by_their_weights() -> None:
    half = {"property": "logp", "low": LOGP_ASPIRIN + 0.5, "margin": 0.5}
    eighth = {"property": "logp", "low": LOGP_ASPIRIN + 1.5, "margin": 0.5}
    one = {"property": "weight", "low": 100, "high": 300}
    for goals, expected in (
        ([half, half], 0.5),
        ([half, eighth], 0.25),
        ([half, {**eighth, "weight": 3}], 0.5 ** (10 / 4)),
        ([{**half, "weight": 2}, {**eighth, "weight": 6}], 0.5 ** (10 / 4)),
        ([half, one], 0.5**0.5),
    ):
        judged = scorer(*goals).judge(mols(ASPIRIN))
        assert judged.score[0] == pytest.approx(expected)
        assert not judged.satisfied[0]
        assert judged.desirabilities.shape == (len(goals), 1)
    assert geometric_mean(np.array([[0.0], [1.0]]), np.ones(2)).tolist() == [0]


def test_any_callable_can_lend_its_score() -> None:
    def size(molecules: Any) -> Any:
        return np.array([0 if mol is None else 1 / mol.GetNumAtoms() for mol in molecules])

    for any_scorer in (size, scorer({"property": "qed", "low": 0.5})):
        lent: Scorer = any_scorer
        assert lent([*mols(PHENOL), None]).shape == (2,)


@pytest.mark.parametrize(
    ("goal", "message"),
    [
        ({}, "property: found none; give one of property, similar_to, smarts"),
        ({"property": "qed", "low": 0.5, "smarts": "C"}, "property: found property and smarts"),
        ({"property": "qed"}, "low: missing, and high too"),
        ({"property": "qed", "low": 1.2}, "low: found 1.2; qed is 0 to 1"),
        ({"property": "sa", "high": 0}, "high: found 0; sa is 1 to 10"),
        ({"property": "logp", "low": 4, "high": 2}, r"low: found 4, above high \(2\)"),
        ({"property": "qed", "low": 0.5, "at_least": 0.4}, "at_least: does not go with property"),
        ({"similar_to": ASPIRIN}, "at_least: missing"),
        ({"similar_to": ASPIRIN, "at_least": 1.5}, "less than or equal to 1"),
        ({"smarts": "C"}, "required: missing"),
        ({"smarts": "C", "required": True, "margin": 1.0}, "margin: does not go with smarts"),
        ({"property": "logp", "low": 1, "margin": 0}, "greater than 0"),
        ({"property": "mass", "low": 1}, "'qed', 'logp', 'weight' or 'sa'"),
        ({"property": "qed", "low": "0.8"}, "valid number"),
        ({"property": "qed", "low": 0.8, "weight": 0}, "greater than 0"),
        ({"property": "qed", "lowest": 0.8}, "Extra inputs"),
    ],
)
def test_mistakes_in_a_goal(goal: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Goal.model_validate(goal)


def test_what_rdkit_cannot_read_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    fine = Goal(property="qed", low=0.8)
    check_goals([fine])
    for wrong, message in (
        (Goal(smarts="[NX3", required=True), r"goals\.1\.smarts: found '\[NX3'"),
        (Goal(similar_to="c1ccc", at_least=0.4), r"goals\.1\.similar_to: found 'c1ccc'"),
        (Goal(similar_to="C(C)(C)(C)(C)C", at_least=0.4), r"goals\.1\.similar_to: "),
        (Goal(smarts=" ", required=True), r"goals\.1\.smarts: found ' '"),
        (Goal(smarts="[H]", required=True), r"goals\.1\.smarts: found '\[H\]', hydrogen alone"),
    ):
        for use in (check_goals, GoalScorer):
            with pytest.raises(UserError, match=r"params.yaml: molecules\.train\." + message):
                use([fine, wrong])
    assert capfd.readouterr() == ("", "")


def test_goals_load_without_rdkit_and_numpy() -> None:
    code = (
        "import sys, domains.molecules.train.goals;"
        "print(sorted({'rdkit', 'torch', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
