"""Matched pairs: by how much one more small group changes the score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipelines.core.randomness import generator
from pipelines.statistics.bootstrap import Interval, interval

from ..prepare.featurise import featurise
from ..train.joining import joined_of
from .drawing import BLUE, CONTROL, GREY, WIDTH, Entry, bare, save, spelt
from .planted import planted
from .subject import Subject, mean_score

POLAR = ("hydroxyl", "carboxyl")  # which a score for the brain must fall with
_KEY = 20

Changes = dict[str, tuple[Interval, Interval]]  # by group: mean change of the score, of a control's


def draw_pairs(out: Path, subject: Subject, count: int, seed: int) -> Entry | None:
    """Write matched_pairs.png: mean changes of the scores of at most `count` test molecules.

    None if none of them has a place for one more group.
    """
    tested = subject.said.index[subject.said["split"] == "test"].to_numpy()
    rows = np.sort(generator(seed, _KEY).permutation(tested)[:count])
    kept, made = planted(subject.table["smiles"].iloc[rows].tolist(), seed)
    if not len(kept):
        return None
    rows = rows[kept]
    found = {name: _changes(subject, rows, smiles, seed) for name, smiles in made.items()}
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    _draw(figure.subplots(), found, subject)
    save(figure, out / "matched_pairs.png")
    entry = {
        "file": "matched_pairs.png",
        "title": "One more group",
        "caption": _caption(found, len(rows), subject),
    }
    findings: dict[str, float | int | str] = {}
    for name in POLAR:
        what = f"change of the score ({subject.unit}) by one more {name}"
        findings |= {what: spelt(found[name][0]), f"{what}, {CONTROL}": spelt(found[name][1])}
    return entry, findings


def _changes(
    subject: Subject, rows: np.ndarray, smiles: list[str], seed: int
) -> tuple[Interval, Interval]:
    """Mean of score with less score without, of the ensemble and of the first control.

    The control's are in units of the deviation of its scores, times that of the ensemble's.
    """
    where = subject.table["group"].iloc[rows].to_numpy()
    both = subject.ensemble, subject.controls[0]
    old = subject.graphs.take(rows), subject.joined[rows]
    new = featurise(smiles), joined_of(smiles, subject.ensemble.join)
    before, after = ([mean_score(network, *given) for network in both] for given in (old, new))
    scale = before[0].std() / (before[1].std() or 1.0)
    ours, control = after[0] - before[0], scale * (after[1] - before[1])
    return _mean(ours, where, seed), _mean(control, where, seed)


def _mean(changes: np.ndarray, where: np.ndarray, seed: int) -> Interval:
    """Over molecules, with an interval over groups of them."""
    sums = pd.Series(changes).groupby(where).agg(["sum", "size"]).to_numpy(float)
    return interval(lambda a, n: a.sum(-1) / n.sum(-1), *sums.T, seed=seed)


def _draw(axes: Axes, found: Changes, subject: Subject) -> None:
    places = np.arange(len(found))
    for k, (kind, colour) in enumerate((("model", BLUE), (CONTROL, GREY))):
        values, low, high = np.array([both[k] for both in found.values()]).T
        at = places + (k - 0.5) * 0.36
        axes.bar(at, values, 0.34, color=colour, label=kind)
        errors = np.nan_to_num([values - low, high - values])
        axes.errorbar(at, values, errors, fmt="none", ecolor="black", capsize=3)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xticks(places, [f"+ {name}" for name in found])
    axes.set_ylabel(f"mean change of the score\n({subject.unit})")
    axes.legend(frameon=False)
    bare(axes)


def _caption(found: Changes, count: int, subject: Subject) -> str:
    return (
        f"{count} test molecules, each with one more group in place of a hydrogen: at an aromatic "
        "carbon if there is one, the same for all groups. Bars: by how much the score "
        f"({subject.unit}, mean of the ensemble) changes, with 95 % intervals over scaffolds. "
        "Control: a network with randomised (shuffled) weights, its scores brought to the same "
        "spread."
    )
