"""Matched pairs: by how much one more small group changes the score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipelines.core.contract import FEWEST_GROUPS
from pipelines.core.figures import save
from pipelines.core.randomness import generator
from pipelines.statistics.bootstrap import Interval, interval
from pipelines.statistics.wording import spelt

from ..prepare.featurise import featurise
from ..train.joining import joined_of
from .drawing import CONTROL, WIDTH, Effect, Entry, show_effects, spread_of
from .planted import planted
from .subject import Subject, mean_score

POLAR = ("hydroxyl", "carboxyl")  # which a score for the brain must fall with
_KEY = 20

Changes = dict[str, Effect]  # by group: mean change of the score


def draw_pairs(out: Path, subject: Subject, count: int, seed: int) -> Entry | None:
    """Write matched_pairs.png: mean changes of the scores of at most `count` test molecules.

    None where those with a place for one more group are of too few groups for an interval.
    """
    tested = subject.said.index[subject.said["split"] == "test"].to_numpy()
    rows = np.sort(generator(seed, _KEY).permutation(tested)[:count])
    kept, made = planted(subject.table["smiles"].iloc[rows].tolist(), seed)
    rows = rows[kept]
    if subject.table["group"].iloc[rows].nunique() < FEWEST_GROUPS:
        return None
    found = _changes(subject, rows, made, seed)
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    axes = figure.subplots()
    show_effects(axes, [f"+ {name}" for name in found], list(found.values()))
    axes.set_ylabel(f"mean change of the score\n({subject.unit})")
    save(figure, out / "matched_pairs.png")
    entry = {
        "file": "matched_pairs.png",
        "title": "One more group",
        "caption": _caption(found, len(rows), subject),
    }
    findings: dict[str, float | int | str] = {}
    for name in POLAR:
        what = f"change of the score ({subject.unit}) by one more {name}"
        findings |= {
            what: spelt(found[name].model),
            f"{what}, {CONTROL}": spread_of(found[name].controls, 2),
            f"one more {name}: beyond all controls": "yes" if found[name].beyond else "no",
        }
    return entry, findings


def _changes(subject: Subject, rows: np.ndarray, made: dict[str, list[str]], seed: int) -> Changes:
    """Mean of score with less score without each group.

    A control's is in units of the deviation of its scores, times that of the ensemble's.
    """
    where = subject.table["group"].iloc[rows].to_numpy()
    networks = [subject.ensemble, *subject.controls]
    old = subject.graphs.take(rows), subject.joined[rows]
    before = [mean_score(network, *old) for network in networks]
    scales = [before[0].std() / (scores.std() or 1.0) for scores in before[1:]]
    found = {}
    for name, smiles in made.items():
        new = featurise(smiles), joined_of(smiles, subject.ensemble.join)
        ours, *others = (
            mean_score(network, *new) - scores
            for network, scores in zip(networks, before, strict=True)
        )
        controls = [k * float(other.mean()) for k, other in zip(scales, others, strict=True)]
        found[name] = Effect(_mean(ours, where, seed), controls)
    return found


def _mean(changes: np.ndarray, where: np.ndarray, seed: int) -> Interval:
    """Over molecules, with an interval over groups of them."""
    sums = pd.Series(changes).groupby(where).agg(["sum", "size"]).to_numpy(float)
    return interval(lambda a, n: a.sum(-1) / n.sum(-1), *sums.T, seed=seed)


def _caption(found: Changes, count: int, subject: Subject) -> str:
    return (
        f"{count} test molecules, each with one more group in place of a hydrogen: at an aromatic "
        "carbon if there is one, the same for all groups. Bars: by how much the score "
        f"({subject.unit}, mean of the ensemble) changes, with 95 % intervals over groups "
        "that the split keeps together. "
        f"Dots, the control: {len(subject.controls)} networks with randomised (shuffled) weights, "
        "the scores of each brought to the same spread; what does not lie beyond all of them "
        f"says nothing. {sum(one.beyond for one in found.values())} of {len(found)} do."
    )
