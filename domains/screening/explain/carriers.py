"""Does the score rest on the groups of atoms of which it is known what they do?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rdkit import Chem

from pipelines.core.contract import FEWEST_GROUPS
from pipelines.core.figures import save
from pipelines.core.randomness import generator
from pipelines.statistics.bootstrap import interval
from pipelines.statistics.wording import spelt

from ..prepare.featurise import parsed
from .attribution import attributed
from .drawing import CONTROL, WIDTH, Effect, Entry, show_effects, spread_of
from .known import Group, known_groups, matched
from .subject import Subject

PLACES = 3  # of an attribution


class Found(NamedTuple):
    """Of one group: its carriers, those with label 1 and without one (classes), its contrast."""

    group: Group
    carriers: int
    positive: int
    unknown: int
    effect: Effect

    @property
    def holds(self) -> bool:
        """Whether the network sees the group as chemists do, and more so than any control."""
        return self.effect.beyond and self.group.sign * self.effect.model.value > 0


def draw_carriers(out: Path, subject: Subject, count: int, seed: int) -> Entry | None:
    """Write known_groups.png: what an atom of each known group adds to the score, less another's.

    None for data of which no group is known, or whose molecules carry none.
    """
    groups = known_groups(subject.title)
    mols = parsed(subject.table["smiles"]) if groups else []
    tried = [_of_group(subject, group, mols, count, seed) for group in groups]
    found = [ratios for ratios in tried if ratios is not None]
    if not found:
        return None
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    axes = figure.subplots()
    names = [f"{one.group.name}\n{_counted(one, subject)}" for one in found]
    show_effects(axes, names, [one.effect for one in found])
    axes.set_ylabel(f"attribution inside − outside\n({subject.unit} per hidden atom)")
    save(figure, out / "known_groups.png")
    entry = {
        "file": "known_groups.png",
        "title": "Does it look where chemists look?",
        "caption": _caption(found, subject),
    }
    findings: dict[str, float | int | str] = {}
    for one in found:
        name = f"attribution on {one.group.name} less elsewhere ({subject.unit} per hidden atom)"
        findings |= {
            name: spelt(one.effect.model, PLACES),
            f"{name}, {CONTROL}": spread_of(one.effect.controls, PLACES),
            f"{one.group.name}: as chemists know it, and beyond all controls": _yes(one.holds),
        }
    return entry, findings


def _of_group(
    subject: Subject, group: Group, mols: Sequence[Chem.Mol], count: int, seed: int
) -> Found | None:
    """Of those of all molecules that carry it, at most `count` of them by chance."""
    masks = [matched(mol, group) for mol in mols]
    rows = np.array([k for k, mask in enumerate(masks) if mask.any() and not mask.all()], dtype=int)
    rows = np.sort(generator(seed, 0).permutation(rows)[:count])
    carriers = subject.table.iloc[rows]
    if carriers["group"].nunique() < FEWEST_GROUPS:
        return None
    graphs, inside = subject.graphs.take(rows), [masks[k] for k in rows]
    ours, *others = (
        attributed(subject.score(network, rows), graphs)
        for network in (subject.ensemble, *subject.controls)
    )
    model = interval(contrast, *sums_of(ours, inside, carriers["group"]), seed=seed)
    controls = [
        float(contrast(*sums_of(other, inside, carriers["group"]))) * _size(ours) / _size(other)
        for other in others
    ]
    truth = carriers[subject.target.name]
    positive, unknown = int((truth == 1).sum()), int(truth.isna().sum())
    return Found(group, len(rows), positive, unknown, Effect(model, controls))


def _size(weights: Sequence[np.ndarray]) -> float:
    """Mean size of an attribution, to which those of the controls are brought."""
    return float(np.abs(np.concatenate(weights)).mean()) or 1.0


def sums_of(
    weights: Sequence[np.ndarray], inside: Sequence[np.ndarray], where: pd.Series
) -> np.ndarray:
    """(4, groups) attribution inside, atoms inside, attribution outside, atoms outside.

    weights: (atoms,) attributions of n molecules; inside: (atoms,) bool; where: (n,) groups.
    """
    sums = [
        (weight[mask].sum(), mask.sum(), weight[~mask].sum(), (~mask).sum())
        for weight, mask in zip(weights, inside, strict=True)
    ]
    return pd.DataFrame(sums).groupby(where.to_numpy()).sum().to_numpy(float).T


def contrast(a: np.ndarray, m: np.ndarray, b: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Mean attribution of an atom inside less that of one outside; of `sums_of`, (..., groups)."""
    return a.sum(-1) / m.sum(-1) - b.sum(-1) / n.sum(-1)


def _counted(one: Found, subject: Subject) -> str:
    if subject.target.kind == "value":
        return f"{one.carriers} molecules"
    unknown = f", {one.unknown} not measured" if one.unknown else ""
    return f"{one.carriers} molecules,\n{one.positive} {subject.target.positive}{unknown}"


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"


def _caption(found: Sequence[Found], subject: Subject) -> str:
    signs = {one.group.sign for one in found}
    way = "for a high score" if signs == {1} else "against a high score"
    told = "; ".join(
        f"{one.group.name} {spelt(one.effect.model, PLACES)}, "
        f"controls {spread_of(one.effect.controls, PLACES)}: {_yes(one.holds)}"
        for one in found
    )
    return (
        f"Groups of atoms of which chemists know that they speak {way}: mean attribution "
        f"({subject.unit} per hidden atom) of their atoms less that of the other atoms, in "
        "labelled molecules that carry them, learnt from or not, with 95 % intervals over "
        "groups that the split keeps together. Dots, the control: "
        f"{len(subject.controls)} networks with randomised (shuffled) weights, the attributions of "
        "each brought to the same mean size. It is seen as chemists know it (yes) where the "
        "interval lies on that side of 0 and the bar is "
        f"longer than the way to any dot. {told}."
        f"{_never(found, subject)}{subject.told_all}"
    )


def _never(found: Sequence[Found], subject: Subject) -> str:
    """Groups from which the network cannot have learnt what is known of them."""
    if subject.target.kind == "value":
        return ""
    names = [one.group.name for one in found if one.group.sign > 0 and not one.positive]
    positive = subject.target.positive
    return "".join(
        f" No molecule with a {name} is known as {positive} in these data." for name in names
    )
