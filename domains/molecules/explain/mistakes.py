"""Why is a SMILES invalid? Mistakes by kind, before and after the adversarial training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from rdkit import Chem, rdBase

from pipelines.core.figures import bare, save
from pipelines.statistics.bootstrap import Interval
from pipelines.statistics.wording import spelt

from ..evaluate.intervals import share
from ..prepare.tokens import tokenize
from .drawing import BLUE, VERMILION, WIDTH, Entry
from .sets import Sets

KINDS = {
    "valence": "an atom with too many bonds",
    "aromaticity": "an aromatic ring without alternating bonds",
    "ring closure": "a ring left open or closed wrongly",
    "parentheses": "a branch left open or never opened",
    "no end": "no end before the greatest length",
    "other": "nothing written, or another mistake",
}


def kind_of(smiles: str, longest: int) -> str:
    """The kind of mistake of an invalid SMILES, the first in the order of reading that applies.

    Args:
        smiles: one that RDKit refuses.
        longest: tokens of the longest molecule that can be written; one with more was cut.
    """
    try:
        tokens = tokenize(smiles)
    except ValueError:
        return "other"
    if len(tokens) > longest:
        return "no end"
    if _branches_wrong(tokens):
        return "parentheses"
    if _rings_wrong(tokens):
        return "ring closure"
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles, sanitize=False) if smiles else None
        found = [] if mol is None else [p.GetType() for p in Chem.DetectChemistryProblems(mol)]
    if "AtomValenceException" in found:
        return "valence"
    return "aromaticity" if any("Kekulize" in name for name in found) else "other"


def _branches_wrong(tokens: Sequence[str]) -> bool:
    depth = 0
    for token in tokens:
        depth += (token == "(") - (token == ")")
        if depth < 0:
            return True
    return depth > 0


def _rings_wrong(tokens: Sequence[str]) -> bool:
    """Whether a ring is left open, or its ends are one atom or two that are bonded already."""
    atoms, here = 0, -1
    stack, opened, bonds = list[int](), dict[int, int](), set[frozenset[int]]()
    for token in tokens:
        if token == "(":
            stack.append(here)
        elif token == ")":
            here = stack.pop()
        elif token.lstrip("%").isdigit():
            label = int(token.lstrip("%"))
            ends = frozenset((opened.pop(label, -2), here))
            if -2 in ends:
                opened[label] = here
            elif len(ends) < 2 or ends in bonds:
                return True
            else:
                bonds.add(ends)
        elif token not in set("-=#$:/\\~."):
            bonds.add(frozenset((here, atoms)))
            here, atoms = atoms, atoms + 1
    return bool(opened)


def draw_mistakes(out: Path, sets: Sets, longest: int) -> Entry:
    """Write mistakes.png; return its entry and the shares of each kind among all draws."""
    tables = {"model": sets.draws}
    if sets.before is not None:
        tables = {"likelihood alone": sets.before, "after the adversarial training": sets.draws}
    shares = {}
    for name, table in tables.items():
        wrong = Counter(kind_of(s, longest) for s in table.loc[~table["valid"], "smiles"])
        shares[name] = {kind: share(wrong[kind], len(table)) for kind in KINDS}
        shares[name]["all"] = share(wrong.total(), len(table))
    _draw(out / "mistakes.png", shares)
    last = list(shares)[-1]
    totals = "; ".join(f"{name}: {100 * s['all'].value:.2f} %" for name, s in shares.items())
    entry = {
        "file": "mistakes.png",
        "title": "Why a SMILES is invalid",
        "caption": (
            "Invalid SMILES by their mistake, as a share of all draws "
            f"({', '.join(f'{len(table):,}' for table in tables.values())}), with 95 % intervals; "
            "each is counted once, what is wrong with the text before what is wrong with the "
            f"molecule. Together: {totals}."
            + (" Both generators wrote from the same noise." if len(shares) > 1 else "")
        ),
    }
    worst = max(KINDS, key=lambda kind: shares[last][kind].value)
    findings: dict[str, float | int | str] = {
        f"invalid, share of draws, {name}": spelt(s["all"], 4) for name, s in shares.items()
    }
    if shares[last]["all"].value:
        findings["most frequent mistake"] = f"{worst}: {KINDS[worst]}"
    return entry, findings


def _draw(path: Path, shares: dict[str, dict[str, Interval]]) -> None:
    figure = Figure(figsize=(WIDTH, 0.55 + 0.62 * len(KINDS)), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(KINDS))
    height = 0.76 / len(shares)
    colours = (BLUE, VERMILION) if len(shares) > 1 else (VERMILION,)
    for k, ((name, found), colour) in enumerate(zip(shares.items(), colours, strict=True)):
        rows = np.array([found[kind] for kind in KINDS]) * 100
        at = places + (k - (len(shares) - 1) / 2) * height
        error = np.abs(rows[:, 1:].T - rows[:, 0])
        axes.barh(at, rows[:, 0], height, label=name, color=colour, xerr=error, capsize=2)
        for y, row in zip(at, rows, strict=True):
            text = f" {row[0]:.2f}" if row[0] else " 0"
            axes.text(row[2], y, text, va="center", fontsize=8.5)
    labels = [f"{kind}\n({meaning})" for kind, meaning in KINDS.items()]
    axes.set_yticks(places, labels, fontsize=9)
    axes.invert_yaxis()
    axes.margins(x=0.08)
    axes.set_xlim(left=0)
    axes.set_xlabel("share of all draws (%)")
    if len(shares) > 1:
        figure.legend(frameon=False, loc="outside upper right", ncols=2)
    bare(axes)
    save(figure, path)
