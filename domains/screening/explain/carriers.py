"""Does the score rest on the groups of atoms of which it is known what they do?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rdkit import Chem

from pipelines.core.randomness import generator
from pipelines.statistics.bootstrap import Interval, interval

from ..prepare.featurise import parsed
from .attribution import attributed
from .drawing import BLUE, CONTROL, GREY, WIDTH, Entry, bare, save, spelt
from .known import Group, known_groups, matched
from .subject import Subject

FEWEST = 3  # carriers of a group, of different scaffolds


class Found(NamedTuple):
    """Of one group: its carriers, those of them with label 1 (classes), and both ratios."""

    group: Group
    carriers: int
    positive: int
    model: Interval
    control: Interval


def draw_carriers(out: Path, subject: Subject, count: int, seed: int) -> Entry | None:
    """Write known_groups.png: how much more the score rests on each known group than on others.

    None for data of which no group is known, or whose molecules carry none.
    """
    groups = known_groups(subject.title)
    mols = parsed(subject.table["smiles"]) if groups else []
    tried = [_of_group(subject, group, mols, count, seed) for group in groups]
    found = [ratios for ratios in tried if ratios is not None]
    if not found:
        return None
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    _draw(figure.subplots(), found, subject)
    save(figure, out / "known_groups.png")
    entry = {
        "file": "known_groups.png",
        "title": "Does it look where chemists look?",
        "caption": _caption(found, subject),
    }
    findings: dict[str, float | int | str] = {}
    for one in found:
        name = f"attribution on {one.group.name}, times its share of the atoms"
        findings |= {name: spelt(one.model), f"{name}, {CONTROL}": spelt(one.control)}
    return entry, findings


def _of_group(
    subject: Subject, group: Group, mols: Sequence[Chem.Mol], count: int, seed: int
) -> Found | None:
    """Of those of all molecules that carry it, at most `count` of them by chance."""
    masks = [matched(mol, group) for mol in mols]
    rows = np.array([k for k, mask in enumerate(masks) if mask.any() and not mask.all()], dtype=int)
    rows = np.sort(generator(seed, 0).permutation(rows)[:count])
    carriers = subject.table.iloc[rows]
    if carriers["group"].nunique() < FEWEST:
        return None
    graphs, inside = subject.graphs.take(rows), [masks[k] for k in rows]
    ours, *others = (
        attributed(subject.score(network, rows), graphs)
        for network in (subject.ensemble, *subject.controls)
    )
    where = carriers["group"]
    model = highlighted(
        [np.maximum(group.sign * weight, 0) for weight in ours], inside, where, seed
    )
    if not np.isfinite(model.value):  # nothing of what they carry speaks that way
        return None
    positive = int((carriers[subject.target.name] == 1).sum())
    turned = [np.mean(parts, axis=0) for parts in zip(*map(_turned, others), strict=True)]
    return Found(group, len(rows), positive, model, highlighted(turned, inside, where, seed))


def _turned(weights: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Of a control what speaks in the direction in which it speaks on the whole, as it knows of no
    other; in units of the size of its attributions, that none of the controls speaks for all."""
    every = np.concatenate(weights)
    unit = (np.abs(every).mean() or 1.0) * (1 if every.mean() > 0 else -1)
    return [np.maximum(weight / unit, 0) for weight in weights]


def highlighted(
    weights: Sequence[np.ndarray], inside: Sequence[np.ndarray], where: pd.Series, seed: int
) -> Interval:
    """Share of the attribution that lies inside, over the share of the atoms that do.

    weights: (atoms,) attributions of n molecules, at least 0; inside: (atoms,) bool; where: (n,)
    groups, which the bootstrap resamples. NaN where there is no attribution.
    """
    sums = [
        (weight[mask].sum(), weight.sum(), mask.sum(), mask.size)
        for weight, mask in zip(weights, inside, strict=True)
    ]
    of_group = pd.DataFrame(sums).groupby(where.to_numpy()).sum().to_numpy(float)

    def ratio(a: np.ndarray, b: np.ndarray, m: np.ndarray, n: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return (a.sum(-1) / b.sum(-1)) / (m.sum(-1) / n.sum(-1))

    return interval(ratio, *of_group.T, seed=seed)


def _draw(axes: Axes, found: Sequence[Found], subject: Subject) -> None:
    places = np.arange(len(found))
    for k, (kind, colour) in enumerate((("model", BLUE), (CONTROL, GREY))):
        bars = [one.model if kind == "model" else one.control for one in found]
        values = np.array([bar.value for bar in bars])
        errors = np.array([[bar.value - bar.low, bar.high - bar.value] for bar in bars]).T
        at = places + (k - 0.5) * 0.36
        axes.bar(at, values, 0.34, color=colour, label=kind)
        axes.errorbar(at, values, np.nan_to_num(errors), fmt="none", ecolor="black", capsize=3)
    axes.axhline(1, color="black", linewidth=0.8, linestyle=":")
    axes.set_xticks(places, [f"{one.group.name}\n{_counted(one, subject)}" for one in found])
    axes.set_ylabel("share of the attribution\n÷ share of the atoms")
    axes.legend(frameon=False)
    bare(axes)


def _counted(one: Found, subject: Subject) -> str:
    if subject.target.kind == "value":
        return f"{one.carriers} molecules"
    return f"{one.carriers} molecules,\n{one.positive} {subject.target.positive}"


def _caption(found: Sequence[Found], subject: Subject) -> str:
    signs = {one.group.sign for one in found}
    way = "for a high score" if signs == {1} else "against a high score"
    told = "; ".join(
        f"{one.group.name} {spelt(one.model)}, control {spelt(one.control)}" for one in found
    )
    return (
        f"Groups of atoms of which chemists know that they speak {way}: their share of the "
        "attribution (of what speaks so) over their share of the atoms, in labelled molecules that "
        "carry them, learnt from or not, with 95 % intervals over scaffolds; at 1 (dotted) the "
        "network does not care. Control: five networks with randomised (shuffled) weights, to "
        f"which atoms differ only by their place in the graph. {told}.{_never(found, subject)}"
    )


def _never(found: Sequence[Found], subject: Subject) -> str:
    """Groups from which the network cannot have learnt what is known of them."""
    if subject.target.kind == "value":
        return ""
    names = [one.group.name for one in found if one.group.sign > 0 and not one.positive]
    positive = subject.target.positive
    return "".join(f" No molecule with a {name} is {positive} in these data." for name in names)
