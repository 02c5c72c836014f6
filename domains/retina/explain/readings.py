"""Read against true: does a reading mean what it says?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from sklearn.metrics import roc_auc_score

from pipelines.core.figures import bare, save
from pipelines.statistics.wording import signed

from ..evaluate.curves import read_by_true, roc
from ..prepare.arrays import Target
from ..train.reading import answers
from .bayes import bayes_table, better_than_bayes
from .drawing import (
    BLACK,
    BLUE,
    CONTROL,
    GREY,
    VERMILION,
    Entry,
    capital,
    named,
    with_unit,
)
from .subject import Subject

_MOST = 300  # photographs that the control reads
_DENSITY = LinearSegmentedColormap.from_list("density", ["#EFEFEF", "#A6A6A6"])
_LABELS = {"model": "network", "bayes": "Bayes-optimal reader", CONTROL: CONTROL}
_BETTER = {  # whether a shortcut was planted, and what it means to be better than Bayes
    False: "read better than by the Bayes-optimal reader, which cannot be",
    True: "read better than by the Bayes-optimal reader without the false cue",
}
_STYLES = {"model": (BLUE, "o-"), "bayes": (BLACK, "s--"), CONTROL: (VERMILION, "^:")}


def draw_readings(out: Path, subject: Subject) -> Entry:
    """Write readings.png: each target read against its truth, with Bayes' line and the control."""
    bayes = bayes_table(subject)
    known = {} if bayes is None else {"bayes": bayes}
    tables = {"model": subject.said, **known, CONTROL: _of_control(subject)}
    columns = min(3, len(subject.targets))
    rows = -(-len(subject.targets) // columns)
    figure = Figure(figsize=(10, 3.6 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[len(subject.targets) :]:
        axes.set_visible(False)
    scores: dict[str, float | int | str] = {}
    for axes, target in zip(grid, subject.targets, strict=False):
        draw = _draw_value if target.kind == "value" else _draw_binary
        whole = {"model": subject.photographs} if target in subject.single else {}
        found = draw(axes, target, tables | whole)
        measure = "R²" if target.kind == "value" else "AUC"
        scores |= {
            f"{named(target)}, {measure}, {CONTROL}": v for k, v in found.items() if k == CONTROL
        }
        bare(axes)
    handles = [
        Line2D([], [], color=_STYLES[n][0], linestyle=_STYLES[n][1][1:], label=label)
        for n, label in _labels(subject, tables).items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    save(figure, out / "readings.png")
    entry = {
        "file": "readings.png",
        "title": "Read against true",
        "caption": _caption(subject, tables),
    }
    found = {name: v for name, v in scores.items() if np.isfinite(v)}
    if bayes is not None:
        better = better_than_bayes(subject.said, bayes, subject.targets)
        found[_BETTER[subject.shortcut]] = ", ".join(better) or "none"
    return entry, found


def _labels(subject: Subject, tables: dict[str, pd.DataFrame]) -> dict[str, str]:
    labels = {name: _LABELS[name] for name in tables}
    if subject.shortcut and "bayes" in labels:
        labels["bayes"] += " without the false cue"
    return labels


def _of_control(subject: Subject) -> pd.DataFrame:
    """The control's readings, a line an eye."""
    rows = subject.tested(_MOST)
    centre, _ = answers(subject.control, subject.eyes.images[rows])
    table = subject.eyes.table.iloc[rows].reset_index(drop=True)
    for k, target in enumerate(subject.targets):
        if target.kind == "value":
            table[f"{target.name}_mean"] = centre[:, k]
        else:
            table[f"{target.name}_probability"] = 1 / (1 + np.exp(-centre[:, k]))
    return table


def _draw_value(axes: Axes, target: Target, tables: dict[str, pd.DataFrame]) -> dict[str, float]:
    model = tables["model"][[target.name, f"{target.name}_mean"]].dropna().to_numpy(float)
    low, high = (np.quantile(model, q) if len(model) else q for q in (0.001, 0.999))
    pad = 0.04 * (high - low) + 1e-9
    window = (low - pad, high + pad)
    if len(model):
        axes.hexbin(
            *model.T,
            gridsize=26,
            extent=(*window, *window),
            cmap=_DENSITY,
            norm=LogNorm(),
            mincnt=1,
            linewidths=0.2,
        )
    axes.plot(window, window, color=GREY, linewidth=0.8)
    found = {}
    for name, table in tables.items():
        found[name] = _r2(table, target)
        line = read_by_true({name: table}, target, "x")
        colour, style = _STYLES[name]
        if len(line):
            axes.plot(
                line["x"],
                line[name],
                style,
                color=colour,
                markersize=4,
                markeredgecolor="white",
                markeredgewidth=0.6,
            )
    axes.set(xlim=window, ylim=window, aspect="equal")
    axes.set_xlabel(f"true {with_unit(target)}")
    axes.set_ylabel("read from the photographs")
    _scores(axes, found, "R²", (0.03, 0.97))
    return found


def _draw_binary(axes: Axes, target: Target, tables: dict[str, pd.DataFrame]) -> dict[str, float]:
    curve = roc(tables, target)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8)
    found = {}
    for name in (n for n in tables if n in curve):
        x, y = curve["false_positive_rate"], curve[name]
        known = tables[name][[target.name, f"{target.name}_probability"]].dropna()
        found[name] = float(roc_auc_score(*known.to_numpy(float).T))
        colour, style = _STYLES[name]
        axes.plot(x, y, style[1:], color=colour)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    positive = f"{target.positive}: " if target.positive else ""
    axes.set_xlabel("false positive rate")
    axes.set_ylabel(f"{capital(named(target))}\n({positive}true positive rate)")
    if not found:
        axes.text(0.5, 0.5, "none, or all, of these patients", ha="center", backgroundcolor="white")
    _scores(axes, found, "AUC", (0.4, 0.24))
    return found


def _scores(axes: Axes, found: dict[str, float], measure: str, place: tuple[float, float]) -> None:
    """The scores in the lines' colours, from `place` (share of the axes) downwards."""
    for k, (name, value) in enumerate(found.items()):
        axes.text(
            place[0],
            place[1] - 0.075 * k,
            f"{measure} {signed(value, 2)}, {_LABELS[name].split()[0]}",
            transform=axes.transAxes,
            color=_STYLES[name][0],
            fontsize=9,
            va="top",
            bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1},
        )


def _r2(table: pd.DataFrame, target: Target) -> float:
    truth, said = table[[target.name, f"{target.name}_mean"]].dropna().to_numpy(float).T
    total = ((truth - truth.mean()) ** 2).sum() if len(truth) else 0.0
    return 1 - float(((truth - said) ** 2).sum() / total) if total else float("nan")


def _caption(subject: Subject, tables: dict[str, pd.DataFrame]) -> str:
    bayes = ""
    if "bayes" in tables:
        bayes = " Dashed: the reader who knows the generator and measures the anatomy without error"
        bayes += (
            ", without the false cue that is planted in the camera's colour: no bound, since a "
            "network that uses the cue can seem better."
            if subject.shortcut
            else "; no reader of photographs can be better."
        )
    names = ", ".join(map(named, subject.single))
    alone = f", of {names} photograph by photograph" if names else ""
    return (
        f"{len(subject.said)} test patients, a patient's photographs averaged{_left_out(subject)}. "
        "Values: shading, how many are read so (logarithmic); points, the mean reading in groups "
        "of equal size, ten at most, of the true value. A line flatter than the thin diagonal is "
        f"regression to the mean. Binary targets: ROC curves{alone}.{bayes} Control: the same "
        "network with randomised (shuffled) weights, eye by eye on "
        f"{len(tables[CONTROL])} photographs."
    )


def _left_out(subject: Subject) -> str:
    table = subject.eyes.table
    tested = table.loc[table["split"] == "test", "patient"].nunique()
    count = tested - len(subject.said)
    return f" ({count} of {tested} are abstained from)" if count else ""
