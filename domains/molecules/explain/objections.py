"""The picture of what the critic objects to, beside a critic that knows nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipelines.core.figures import bare, save
from pipelines.core.randomness import generator
from pipelines.statistics.bootstrap import Interval, interval
from pipelines.statistics.wording import signed, spelt

from ..evaluate.intervals import from_influence
from ..prepare.arrays import encode
from ..train.chemistry import look_at, parse
from ..train.critic import Critic
from .drawing import BLUE, VERMILION, WIDTH, Entry
from .saliency import Judged, agreement, by_token, randomised, weigh
from .sets import Sets

SHOWN = 8  # molecules
CONTROLS = 10  # shuffled critics
ALIKE = "rank correlation of the critic's token weights with a shuffled critic's"
WORST = "token that speaks most for a written molecule, and what it adds to the logit"
_KEY, _CONTROL = 30, 31
_LINE = 56  # tokens a line
_RARE = 10  # molecules in which a token must occur to be compared
_SCALE = LinearSegmentedColormap.from_list("objections", [VERMILION, "#FFFFFF", BLUE])


def draw_objections(
    out: Path, critic: Critic, vocabulary: list[str], sets: Sets, count: int, seed: int
) -> Entry | None:
    """Write objections.png: written molecules, coloured by what each token adds to the logit.

    None if no valid molecule has been written.
    """
    valid = sets.draws.loc[sets.draws["valid"], "smiles"].tolist()
    chosen = [valid[k] for k in generator(seed, _KEY).permutation(len(valid))[:count]]
    if not chosen:
        return None
    corpus = encode(chosen, vocabulary)
    tokens = torch.from_numpy(corpus.padded(np.arange(len(corpus))).astype(np.int64))
    seen = torch.from_numpy(look_at(parse(chosen)))
    judged = weigh(critic, tokens, seen)
    others = [weigh(randomised(critic, seed, _CONTROL, k), tokens, seen) for k in range(CONTROLS)]
    alike = np.array([agreement(judged, other) for other in others])
    kinds = {name: v for name, v in by_token(judged, vocabulary).items() if len(v) >= _RARE}
    _draw(out / "objections.png", chosen, (judged, others[0]), kinds, vocabulary)
    findings: dict[str, float | int | str] = {}
    if np.isfinite(alike).all():
        found = interval(lambda x: x.mean(-1), alike, seed=seed)
        findings[ALIKE] = spelt(found, 3)
    if kinds:
        added = {name: _mean(values) for name, values in kinds.items()}
        name = min(added, key=lambda kind: added[kind].value)
        if added[name].high < 0:
            findings[WORST] = f"{name} ({spelt(added[name], 3)})"
    entry = {
        "file": "objections.png",
        "title": "What the critic objects to",
        "caption": _caption(len(chosen), findings),
    }
    return entry, findings


def _draw(
    path: Path,
    smiles: list[str],
    both: tuple[Judged, Judged],
    kinds: dict[str, NDArray[np.float64]],
    vocabulary: list[str],
) -> None:
    shown = np.argsort(both[0].logit[:SHOWN], kind="stable")
    lines = sum(1 + (int((both[0].tokens[k] > 0).sum()) - 1) // _LINE for k in shown)
    heights = [0.27 * lines + 0.5, 2.7]
    figure = Figure(figsize=(WIDTH, sum(heights)), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=heights)
    columns = above.subplots(1, 2)
    titles = ("critic", "control: a critic with shuffled weights")
    for axes, judged, title in zip(columns, both, titles, strict=True):
        _draw_texts(axes, judged, shown, vocabulary, lines)
        axes.set_title(title, fontsize=10)
    bar = above.colorbar(
        ScalarMappable(Normalize(-1, 1), _SCALE), ax=columns, location="right", aspect=25, pad=0.01
    )
    bar.set_ticks([-1, 0, 1], labels=["written", "0", "real"])
    bar.set_label("speaks for", labelpad=-12)
    _draw_kinds(below.subplots(), kinds)
    save(figure, path)


def _draw_texts(
    axes: Axes, judged: Judged, shown: NDArray[np.int64], vocabulary: list[str], lines: int
) -> None:
    """A line (or more) a molecule: its logit, and its tokens on their colours."""
    colours = _shades(judged.weight[shown], _SCALE)
    line = 0
    for k, shades in zip(shown, colours, strict=True):
        axes.text(-1, line + 0.5, signed(judged.logit[k], 1), ha="right", va="center", fontsize=9)
        place = 0
        for token, shade in zip(judged.tokens[k].tolist(), shades, strict=True):
            text = vocabulary[token]
            if place + len(text) > _LINE:
                line, place = line + 1, 0
            options = {"ha": "center", "va": "center_baseline", "family": "monospace"}
            axes.fill_between(
                [place, place + len(text)], line + 0.06, line + 0.94, color=shade, linewidth=0
            )
            axes.text(place + len(text) / 2, line + 0.5, text, fontsize=8.5, **options)
            place += len(text)
        line += 1
    axes.set_xlim(-6, _LINE)
    axes.set_ylim(max(line, lines), 0)
    axes.set_axis_off()


def _shades(weight: NDArray[np.float64], scale: Colormap) -> NDArray[np.float64]:
    """(n, L, 4) colours; the scale ends at the 98th percentile of what the weights amount to."""
    most = np.nanpercentile(np.abs(weight), 98)
    return scale(0.5 + 0.5 * np.nan_to_num(weight / (most or 1)).clip(-1, 1))


def _draw_kinds(axes: Axes, kinds: dict[str, NDArray[np.float64]]) -> None:
    """Mean weight of each kind of token with its interval, the most objected to first."""
    found = {name: _mean(values) for name, values in kinds.items()}
    names = sorted(found, key=lambda name: found[name].value)
    for x, name in enumerate(names):
        value, low, high = found[name]
        colour = BLUE if value > 0 else VERMILION
        error = np.nan_to_num([[value - low], [high - value]])
        axes.bar(x, value, 0.7, color=colour, yerr=error, capsize=2)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xticks(range(len(names)), names, family="monospace")
    axes.set_xlabel("token")
    axes.set_ylabel("what the token adds to the logit")
    bare(axes)


def _mean(values: NDArray[np.float64]) -> Interval:
    return from_influence(float(values.mean()), values, least=-np.inf)


def _caption(count: int, findings: dict[str, float | int | str]) -> str:
    caption = (
        "Above: valid written molecules, chosen by chance and ordered by the critic's logit (on "
        "the left; negative: taken for written). The colour of a token is how much the logit falls "
        "when the token's embedding is set to zero: orange tokens speak for a written molecule, "
        "blue ones for a real one. Only the critic's reading of the text is explained: what it "
        "sees of the molecule as a graph stays as it is. Control (Adebayo et al. 2018): the same "
        "critic with its weights shuffled, on its own scale. Below: the mean of each kind of token "
        f"over the molecules, of {count}, that have it, with 95 % intervals."
    )
    if ALIKE in findings:
        caption += (
            f" Rank correlation of the two critics' colours, mean over {CONTROLS} shuffles: "
            f"{findings[ALIKE]}; at 0 they would have nothing in common."
        )
    return caption
