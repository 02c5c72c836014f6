"""The tables that `predict` writes, each with what draws.json says of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd

from pipelines.core.parallel import in_parallel
from pipelines.core.runner import Inputs

from ..prepare.arrays import read_smiles
from ..train.chemistry import parse
from ..train.goals import Goal
from ..train.reading import fits_of, read_critic, read_writer
from ..train.scorers import GoalScorer
from .described import describe, plain, with_nearest
from .files import note
from .params import PredictParams
from .rejection import reject
from .writing import noise_of, write

Noted = tuple[pd.DataFrame, dict[str, Any]]


def generated(fit: str, params: PredictParams, inputs: Inputs) -> Noted:
    """Draws of a fit, each described, with its nearest training molecule."""
    known = read_smiles(inputs.prepare, "train")
    table, bits = describe(_drawn(fit, params, inputs), set(known))
    return _judged(with_nearest(table, bits, known), _counted(fit, params, table), inputs)


def written_before(fit: str, params: PredictParams, inputs: Inputs) -> Noted:
    """What an earlier fit writes of the same noise."""
    table = plain(_drawn(fit, params, inputs))
    return _judged(table, _counted(fit, params, table), inputs)


def accepted(fit: str, params: PredictParams, inputs: Inputs) -> Noted:
    """Other draws, those that the critic accepts."""
    writer, critic = read_writer(inputs.train, fit), read_critic(inputs.train)
    found = reject(writer, critic, params.molecules, params.seed, params.temperature)
    noted = note(fit, params.seed, params.temperature, found.drawn, found.valid)
    share = len(found.smiles) / found.drawn
    noted |= {"accepted": len(found.smiles), "acceptance": share, "cap": found.cap}
    return _judged(plain(found.smiles), noted, inputs)


def _judged(table: pd.DataFrame, noted: dict[str, Any], inputs: Inputs) -> Noted:
    """With a column `satisfied`, all goals are met, and their number, if it learnt from goals."""
    goals = fits_of(inputs.train).get("adversarial", {}).get("goals")
    if not goals:
        return table, noted
    judge = partial(_satisfied, goals=[Goal(**goal) for goal in goals])
    table["satisfied"] = list(in_parallel(judge, table["smiles"].tolist()))
    return table, noted | {"satisfied": int(table["satisfied"].sum())}


def _satisfied(smiles: Sequence[str], goals: list[Goal]) -> list[bool]:
    return GoalScorer(goals).judge(parse(smiles)).satisfied.tolist()


def _drawn(fit: str, params: PredictParams, inputs: Inputs) -> list[str]:
    writer = read_writer(inputs.train, fit)
    noise = noise_of(writer, params.molecules, params.seed)
    return write(writer, noise, params.molecules, params.temperature)


def _counted(fit: str, params: PredictParams, table: pd.DataFrame) -> dict[str, Any]:
    valid = int(table["valid"].sum())
    return note(fit, params.seed, params.temperature, params.molecules, valid)
