"""What lies between two molecules? A path from one to the other through the noise z."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray
from rdkit.Chem import Mol
from rdkit.DataStructs import TanimotoSimilarity
from torch import Tensor
from torch.nn import functional as F

from pipelines.chemistry.fingerprints import morgan
from pipelines.core.figures import bare, save
from pipelines.core.randomness import generator
from pipelines.statistics.wording import spelt
from pipelines.training.precision import computing_device

from ..evaluate.intervals import mean, share
from ..prepare.arrays import Corpus
from ..train.chemistry import parse
from ..train.texts import spell
from ..train.writer import Writer
from .drawing import BLUE, GREEN, VERMILION, WIDTH, Entry, show_molecule
from .sets import BITS

STEPS = 7  # both ends among them
DRAWN = 4  # paths
ENDS = "ends of a path that are written exactly, share"
VALID = "valid steps of a path, share"
MIDDLE = "similarity of a path's middle to its nearer end"
CHANCE = "similarity of an unrelated molecule to the nearer end"
_KEY = 20
_SIZE = (WIDTH / STEPS - 0.06, 1.1)


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """Between a and b (n, size) on a great circle (Shoemake 1985), at the share t of the way.

    Between points of Gaussian noise a straight line would lead through lengths that noise does
    not have. Exactly a at 0 and b at 1; where both point the same way it is the straight line.
    """
    if t in (0, 1):
        return b if t else a
    cosine = torch.nn.functional.cosine_similarity(a.double(), b.double(), dim=1).clamp(-1, 1)
    angle = cosine.acos()[:, None]
    near = angle.sin().abs() < 1e-6
    angle = torch.where(near, 1.0, angle)
    left = torch.where(near, 1 - t, ((1 - t) * angle).sin() / angle.sin())
    right = torch.where(near, t, (t * angle).sin() / angle.sin())
    return (left * a.double() + right * b.double()).to(a.dtype)


def paths(writer: Writer, first: Tensor, last: Tensor) -> list[list[str]]:
    """What is written on the way: for each of STEPS the n SMILES.

    first, last: (n, length) tokens of the molecules at the ends, at least one zero after each.
    """
    longest = max(first.shape[1], last.shape[1])
    ends = [F.pad(tokens, (0, longest - tokens.shape[1])) for tokens in (first, last)]
    a, b = writer.encode(torch.cat(ends).to(computing_device())).chunk(2)
    noise = torch.cat([slerp(a, b, k / (STEPS - 1)) for k in range(STEPS)])
    texts = spell(writer.write(noise).cpu().numpy(), writer.vocabulary)
    return [texts[k * len(a) : (k + 1) * len(a)] for k in range(STEPS)]


def draw_interpolation(
    out: Path, writer: Writer, corpus: Corpus, pairs: int, seed: int
) -> Entry | None:
    """Write interpolation.png: paths between validation molecules that chance has paired.

    None with fewer than four molecules: an unrelated one is needed to compare with.
    """
    pairs = min(pairs, len(corpus) // 2)
    if pairs < 2:
        return None
    order = generator(seed, _KEY).permutation(len(corpus))[: 2 * pairs]
    padded = np.pad(corpus.padded(order), ((0, 0), (0, 1))).astype(np.int64)
    tokens = torch.from_numpy(padded[:pairs]), torch.from_numpy(padded[pairs:])
    ends = [spell(padded[part], corpus.vocabulary) for part in np.s_[:pairs, pairs:]]
    texts = paths(writer, *tokens)
    exact = [
        [written == end for written, end in zip(texts[k], ends[k], strict=True)] for k in (0, -1)
    ]
    mols = [parse(ends[0]), *map(parse, texts[1:-1]), parse(ends[1])]
    similar = np.array([[_similarities(step, mols[k]) for step in mols] for k in (0, -1)])
    unrelated = mols[0][1:] + mols[0][:1]  # where the next path begins
    chance = np.max([_similarities(unrelated, mols[k]) for k in (0, -1)], axis=0)
    _draw(out / "interpolation.png", (texts, mols, exact), similar, chance)
    findings = _findings(exact, similar, chance)
    entry = {
        "file": "interpolation.png",
        "title": "From one molecule to another",
        "caption": _caption(pairs, findings),
    }
    return entry, findings


def _similarities(mols: list[Mol | None], ends: list[Mol | None]) -> NDArray[np.float64]:
    """(n,) Tanimoto coefficients, NaN for the invalid."""
    return np.array([_similarity(a, b) for a, b in zip(mols, ends, strict=True)])


def _similarity(a: Mol | None, b: Mol | None) -> float:
    if a is None or b is None:
        return float("nan")
    return TanimotoSimilarity(*map(morgan(BITS).GetFingerprint, (a, b)))


def _findings(
    exact: list[list[bool]], similar: NDArray[np.float64], chance: NDArray[np.float64]
) -> dict[str, float | int | str]:
    """similar: (2, STEPS, pairs) to both ends; chance: (pairs,) of others to the nearer end."""
    recovered = sum(map(sum, exact)), sum(map(len, exact))
    valid = np.isfinite(similar[0, 1:-1])
    nearer = similar[:, STEPS // 2].max(axis=0)
    findings: dict[str, float | int | str] = {
        ENDS: spelt(share(*recovered), 3),
        VALID: spelt(share(int(valid.sum()), valid.size), 3),
    }
    if np.isfinite(nearer).any():
        findings[MIDDLE] = spelt(mean(nearer[np.isfinite(nearer)]), 3)
    return findings | {CHANCE: spelt(mean(chance), 3)}


def _draw(
    path: Path,
    drawn: tuple[list[list[str]], list[list[Mol | None]], list[list[bool]]],
    similar: NDArray[np.float64],
    chance: NDArray[np.float64],
) -> None:
    rows = min(DRAWN, len(chance))
    heights = [rows * (_SIZE[1] + 0.3) + 0.3, 2.7]
    figure = Figure(figsize=(WIDTH, sum(heights)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.04, h_pad=0.03, wspace=0.01, hspace=0.02)
    above, below = figure.subfigures(2, 1, height_ratios=heights)
    _draw_paths(above, rows, drawn, similar)
    left, right = below.subplots(1, 2)
    _draw_similarity(left, similar, chance)
    _draw_validity(right, similar[0])
    save(figure, path)


def _draw_paths(
    figure: SubFigure,
    rows: int,
    drawn: tuple[list[list[str]], list[list[Mol | None]], list[list[bool]]],
    similar: NDArray[np.float64],
) -> None:
    texts, mols, exact = drawn
    for (row, k), axes in np.ndenumerate(figure.subplots(rows, STEPS, squeeze=False)):
        show_molecule(axes, mols[k][row], texts[k][row], *_SIZE)
        if k in (0, STEPS - 1):
            label = "written exactly" if exact[bool(k)][row] else "not written exactly"
        elif mols[k][row] is None:
            label = "invalid"
        else:
            label = "A {:.2f}, B {:.2f}".format(*similar[:, k, row])
        axes.set_xlabel(label, fontsize=8.5, color=VERMILION if label == "invalid" else "black")
        if row == 0:
            name = {0: "A, real", STEPS - 1: "B, real"}.get(k, f"{k}/{STEPS - 1} of the way")
            axes.set_title(name, fontsize=9.5)


def _draw_similarity(axes: Axes, similar: NDArray[np.float64], chance: NDArray[np.float64]) -> None:
    at = np.arange(STEPS) / (STEPS - 1)
    lines = (("to A", similar[0], BLUE, "o"), ("to B", similar[1], GREEN, "s"))
    nearer = ("to the nearer end", similar.max(axis=0), "black", "^")
    for name, values, colour, mark in (*lines, nearer):
        found = [mean(step[np.isfinite(step)]) for step in values]
        error = np.abs(np.array(found)[:, 1:].T - [f.value for f in found])
        options = {"color": colour, "marker": mark, "markersize": 4, "capsize": 2}
        axes.errorbar(at, [f.value for f in found], error, label=name, **options)
    label = "of an unrelated molecule\nto the nearer end"
    axes.axhline(float(chance.mean()), color="black", linewidth=1, linestyle="--", label=label)
    axes.set_ylim(0, 1.3)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_xlabel("share of the way from A to B")
    axes.set_ylabel("mean Tanimoto similarity")
    axes.legend(frameon=False, loc="upper center", fontsize=9)
    bare(axes)


def _draw_validity(axes: Axes, similar: NDArray[np.float64]) -> None:
    found = np.array([share(int(np.isfinite(s).sum()), s.size) for s in similar[1:-1]]) * 100
    error = np.abs(found[:, 1:].T - found[:, 0])
    at = np.arange(1, STEPS - 1) / (STEPS - 1)
    axes.bar(at, found[:, 0], 0.09, color="#8A8A8A", yerr=error, capsize=3)
    for x, (_, _, high), value in zip(at, found, found[:, 0], strict=True):
        axes.text(x, high + 2, f"{value:.0f} %", ha="center", fontsize=9)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 115)
    axes.set_yticks([0, 25, 50, 75, 100])
    axes.set_xlabel("share of the way from A to B")
    axes.set_ylabel("valid molecules (%)")
    bare(axes)


def _caption(pairs: int, findings: dict[str, float | int | str]) -> str:
    caption = (
        "Two molecules of the validation set are turned into noise, and molecules are written from "
        "noise on the great circle between them. Above: the first of the pairs that chance has "
        "made, with the similarity of each step to A and to B (Tanimoto, Morgan fingerprint); an "
        f"invalid step is the text that was written. Below: means and shares over {pairs} pairs, "
        "with 95 % intervals; dashed: the similarity to the nearer end of a molecule that has "
        f"nothing to do with either. {findings[VALID]} of the steps between are valid"
    )
    if MIDDLE not in findings:
        return caption + "; halfway none is."
    return caption + (
        f"; halfway the similarity to the nearer end is {findings[MIDDLE]}, that of an unrelated "
        f"molecule {findings[CHANCE]}: a middle hardly above the latter has forgotten both ends, "
        "and the path is no gradual change."
    )
