"""Rewards of property-directed generation: how far molecules are what `goals` asks for.

Every goal gives each molecule a desirability between 0 and 1, and the score is their weighted
geometric mean (Derringer and Suich 1980), (d1^w1 · d2^w2 · …)^(1 / (w1 + w2 + …)): a molecule that
fails one goal wholly cannot make up for it by the others.

- A number in a range (property, similarity): 1 inside; outside it halves with every `margin` of
  distance. Unlike Derringer and Suich's ramp it never becomes 0, so that from anywhere a step
  towards the range is rewarded.
- A substructure: 1 if it is as asked, else `UNMET`, so that the other goals still count.
- No molecule (an invalid SMILES), and a property that cannot be computed: 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, DataStructs, rdBase
from rdkit.Chem import Mol

from pipelines.chemistry.fingerprints import morgan
from pipelines.chemistry.properties import properties
from pipelines.chemistry.standardise import standardise
from pipelines.core.errors import UserError

from .goals import MARGINS, SIMILARITY_MARGIN, Goal

UNMET = 0.1

Mols = Sequence[Mol | None]


class Scorer(Protocol):
    """A reward: any callable of this form can direct the generator, a trained predictor too."""

    def __call__(self, mols: Mols) -> NDArray[np.float64]:
        """Scores (n,) between 0 and 1 of n molecules; None, an invalid SMILES, has 0."""
        ...


class Judgement(NamedTuple):
    """Of n molecules.

    Attributes:
        score: (n,) float64 in [0, 1], the weighted geometric mean of the desirabilities.
        satisfied: (n,) bool, every goal is met, with no margin.
        desirabilities: (goals, n) float64 in [0, 1].
    """

    score: NDArray[np.float64]
    satisfied: NDArray[np.bool_]
    desirabilities: NDArray[np.float64]


class GoalScorer:
    """The Scorer of a list of goals.

    Raises:
        UserError: a SMILES or SMARTS of a goal cannot be read.
    """

    def __init__(self, goals: Sequence[Goal]) -> None:
        if not goals:
            raise ValueError("a scorer needs at least one goal")
        check_goals(goals)
        self._goals = list(goals)
        self._weights = np.array([goal.weight for goal in goals])
        self._names = {goal.property for goal in goals if goal.property}
        self._fingerprints = morgan(1024)  # as MOSES' similarities

    def __call__(self, mols: Mols) -> NDArray[np.float64]:
        """Scores (n,) of n molecules."""
        return self.judge(mols).score

    def judge(self, mols: Mols) -> Judgement:
        """Score n molecules, and say which have all that is asked for."""
        rows = [properties(mol, self._names) if self._names else None for mol in mols]
        pairs = [
            _in_range(goal, np.array([getattr(row, goal.property) for row in rows], float))
            if goal.property
            else self._structure(goal, mols)
            for goal in self._goals
        ]
        present = np.array([mol is not None and mol.GetNumAtoms() > 0 for mol in mols], bool)
        desirabilities = np.array([d for d, _ in pairs]) * present
        satisfied = np.all([met for _, met in pairs], axis=0) & present
        score = geometric_mean(desirabilities, self._weights)
        return Judgement(score, satisfied, desirabilities)

    def _structure(self, goal: Goal, mols: Mols) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        if goal.similar_to is not None:
            return _in_range(goal, self._similarities(goal.similar_to, mols))
        # An explicit hydrogen is asked of its atom: molecules have none of their own.
        pattern = Chem.MergeQueryHs(Chem.MolFromSmarts(goal.smarts))
        held = np.array([mol is not None and mol.HasSubstructMatch(pattern) for mol in mols], bool)
        met = held == goal.required
        return np.where(met, 1, UNMET), met

    def _similarities(self, smiles: str, mols: Mols) -> NDArray[np.float64]:
        """Tanimoto similarities (n,) of Morgan fingerprints; NaN for no molecule."""
        similarities = np.full(len(mols), np.nan)
        present = [i for i, mol in enumerate(mols) if mol is not None]
        target = self._fingerprints.GetFingerprint(Chem.MolFromSmiles(standardise(smiles).smiles))
        others = [self._fingerprints.GetFingerprint(mols[i]) for i in present]
        similarities[present] = DataStructs.BulkTanimotoSimilarity(target, others)
        return similarities


def geometric_mean(
    desirabilities: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted geometric mean (n,) over the first axis of (k, n) numbers in [0, 1]."""
    with np.errstate(divide="ignore"):
        return np.exp(np.average(np.log(desirabilities), axis=0, weights=weights))


def check_goals(goals: Sequence[Goal]) -> None:
    """Raise UserError, which names the field, for a SMILES or SMARTS that RDKit cannot read."""
    for i, goal in enumerate(goals):
        field = f"params.yaml: molecules.train.goals.{i}"
        with rdBase.BlockLogs():
            pattern = Chem.MolFromSmarts(goal.smarts) if goal.smarts is not None else None
            if goal.smarts is not None and not _has_atoms(pattern):
                raise UserError(
                    f"{field}.smarts: found {goal.smarts!r}; RDKit cannot read it as SMARTS: "
                    "correct it"
                )
            if pattern and all(atom.GetAtomicNum() == 1 for atom in pattern.GetAtoms()):
                raise UserError(
                    f"{field}.smarts: found {goal.smarts!r}, hydrogen alone; name the atom that "
                    "bears it, such as [NH]"
                )
            if goal.similar_to is not None and (found := standardise(goal.similar_to)).reason:
                raise UserError(
                    f"{field}.similar_to: found {goal.similar_to!r}; {found.reason}: correct it"
                )


def _has_atoms(mol: Mol | None) -> bool:
    return mol is not None and mol.GetNumAtoms() > 0


def _in_range(
    goal: Goal, values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Desirability (n,) of numbers and whether each is in the goal's range; 0, no for NaN."""
    if goal.property:
        low, high, margin = goal.low, goal.high, goal.margin or MARGINS[goal.property]
    else:
        low, high, margin = goal.at_least, None, goal.margin or SIMILARITY_MARGIN
    low, high = -np.inf if low is None else low, np.inf if high is None else high
    outside = np.maximum(np.maximum(low - values, values - high), 0)
    return np.where(np.isnan(values), 0, 0.5 ** (outside / margin)), outside == 0
