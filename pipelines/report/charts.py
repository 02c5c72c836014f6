"""Line and dot charts as PNG files whose bytes depend on the data alone."""

import io
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib
import matplotlib.style
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter

from pipelines.report.formatting import axis, label, number
from pipelines.report.scores import Headline, Score

# Okabe & Ito's colours, told apart under every common colour blindness; yellow is left out,
# which is too pale for a line on white.
BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, PURPLE, BLACK, GREY = "#56B4E9", "#CC79A7", "#1A1A1A", "#767676"
COLOURS = [BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK]
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.grid": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "text.parse_math": False,  # a dollar sign in a user's column name is a dollar sign
    "axes.unicode_minus": True,
}
_KIND_COLOURS = {"model": BLUE, "baseline": VERMILLION, "published": BLACK}
_BOUND_LINES = (":", "--", "-.")
_FEW = 4  # series of which a legend finds room beside the lines
_WIDE = 30  # the ratio of scores from which the small ones need a logarithmic scale
_REFERENCE = re.compile(r"chance|ideal|perfect|identity|diagonal|nominal", re.IGNORECASE)


@contextmanager
def _chart(width: float, height: float, png: io.BytesIO) -> Iterator[Axes]:
    """Axes of `width` x `height` inches, written to `png` at 150 dpi at the end."""
    with matplotlib.style.context(["default", _STYLE]):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.add_subplot()
        axes.set_axisbelow(True)
        yield axes
        figure.savefig(png, dpi=150, format="png", metadata={"Software": None})


def history_charts(
    history: pd.DataFrame, monitor: str, selected: int | None
) -> Iterator[tuple[bytes, str]]:
    """One chart per quantity of one fit's history, (PNG, alternative text): losses first.

    `history` has the columns epoch and one per logged metric; `train_x` or `x` shares a chart with
    `val_x`.
    """
    metrics = history.drop(columns=["fit", "epoch"], errors="ignore").select_dtypes("number")
    columns = [str(name) for name in metrics.columns if metrics[name].notna().any()]
    stems = list(dict.fromkeys(_stem(name) for name in columns))
    stems.sort(key=lambda stem: ("loss" not in stem, stem != _stem(monitor)))
    for stem in stems:
        series = [name for name in columns if _stem(name) == stem]
        yield _history_chart(history, stem, series, monitor, selected)


def _stem(name: str) -> str:
    return re.sub(r"^(train|val|validation)_", "", name)


def _history_chart(
    history: pd.DataFrame, stem: str, series: list[str], monitor: str, selected: int | None
) -> tuple[bytes, str]:
    png = io.BytesIO()
    with _chart(3.5, 2.6, png) as axes:
        for name in series:
            seen = history[["epoch", name]].dropna()
            train = name.startswith("train_") or (name == stem and len(series) > 1)
            legend = "Training" if train else "Validation" if name != stem else label(name)
            colour, line = (VERMILLION, "--") if train else (BLUE, "-")
            marker = "o" if len(seen) <= 20 else None
            axes.plot(seen["epoch"], seen[name], line, color=colour, label=legend, marker=marker)
        if selected is not None:
            axes.axvline(selected, color=GREY, linestyle=":", label=f"Selected: epoch {selected}")
            chosen = history.loc[history["epoch"] == selected]
            if monitor in series and len(chosen):
                axes.plot(selected, chosen[monitor].iloc[0], "o", color=BLACK, markersize=7)
        axes.set_title(label(stem))
        axes.set_xlabel("Epoch")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.figure.legend(loc="outside lower center", ncols=2)
    ends = "; ".join(f"{label(name)} {_ends(history[name])}" for name in series)
    chosen_text = "" if selected is None else f" Selected: epoch {selected}."
    return png.getvalue(), f"{label(stem)} by epoch: {ends}.{chosen_text}"


def _ends(values: pd.Series) -> str:
    seen = values.dropna()
    if seen.empty or not pd.api.types.is_numeric_dtype(seen):
        return "without numbers"
    return f"from {number(float(seen.iloc[0]))} to {number(float(seen.iloc[-1]))}"


def curve_chart(name: str, table: pd.DataFrame) -> tuple[bytes, str]:
    """A chart of one file of curves/, (PNG, alternative text).

    The first column is x, the others are series; `s_low` and `s_high` beside `s` make a band.
    A series called chance, ideal, identity or the like is drawn as a thin reference line.
    """
    x, *rest = [str(column) for column in table.columns]
    bands = {s for s in rest if {f"{s}_low", f"{s}_high"} <= set(rest)}
    edges = {f"{s}_{edge}" for s in bands for edge in ("low", "high")}
    series = [s for s in rest if s not in edges]
    y, names = _y_label(name, x, series)
    png = io.BytesIO()
    with _chart(4.8, 3.4, png) as axes:
        for index, column in enumerate(series):
            line = _draw(axes, table, x, column, index, names[column])
            if column in bands:
                low, high = table[f"{column}_low"], table[f"{column}_high"]
                axes.fill_between(table[x], low, high, color=line, alpha=0.18, linewidth=0)
        axes.set(title=label(name), xlabel=axis(x), ylabel=y)
        if len(series) > _FEW:
            axes.figure.legend(loc="outside lower center", ncols=2)
        elif len(series) > 1:
            axes.legend()
        if not pd.api.types.is_numeric_dtype(table[x]) and len(table) > 4:
            axes.tick_params(axis="x", rotation=40)
    ends = "; ".join(f"{names[s]} {_ends(table[s])}" for s in series)
    note = " Shaded: 95 % interval." if bands else ""
    return png.getvalue(), f"{label(name)}, {y} against {axis(x)}: {ends}.{note}"


def _draw(axes: Axes, table: pd.DataFrame, x: str, column: str, index: int, name: str) -> str:
    if _REFERENCE.search(column):
        axes.plot(table[x], table[column], ":", color=GREY, linewidth=1.4, label=name)
        return GREY
    numeric = pd.api.types.is_numeric_dtype(table[x])
    colour = COLOURS[index % len(COLOURS)]
    dashes = ["-", "--", "-."][index // len(COLOURS) % 3] if numeric else "none"
    seen = table[[x, column]].dropna()
    marker = "o" if len(seen) <= 20 or not numeric else None
    axes.plot(seen[x], seen[column], linestyle=dashes, color=colour, marker=marker, label=name)
    return colour


def _y_label(name: str, x: str, series: list[str]) -> tuple[str, dict[str, str]]:
    """The y axis in words and each series' name: what the series' names share labels the axis.

    Where they share nothing, it is what the file's name says beside x: precision_recall over
    recall is precision.
    """
    if len(series) == 1:
        return axis(series[0]), {series[0]: label(series[0])}
    words = [s.split("_") for s in series if not _REFERENCE.search(s)]
    shared = 0
    while words and all(len(w) > shared + 1 and w[shared] == words[0][shared] for w in words):
        shared += 1
    if shared and len(words) > 1:
        names = {
            s: label(s if _REFERENCE.search(s) else "_".join(s.split("_")[shared:])) for s in series
        }
        return axis("_".join(words[0][:shared])), names
    left = [w for w in name.split("_") if w not in {*x.split("_"), "by", "vs", "against", "curve"}]
    if len(words) == 1:
        left = words[0]
    return axis("_".join(left)) if left else "Value", {s: label(s) for s in series}


def forest_chart(headline: Headline, others: list[Score]) -> tuple[bytes, str]:
    """The headline metric of every row as points with 95 % intervals, (PNG, alternative text).

    `others` are the rows beside the model's: variants, baselines, published results; bounds
    are vertical lines.
    """
    rows = [(score, score.value) for score in [headline.model, *others] if score.value is not None]
    png = io.BytesIO()
    with _chart(3.5, 0.9 + 0.34 * len(rows), png) as axes:
        for place, (score, value) in enumerate(rows):
            edge = _KIND_COLOURS[score.kind]
            face = "white" if score.kind == "published" else edge
            if score.low is not None and score.high is not None:
                axes.plot([score.low, score.high], [place, place], color=edge, linewidth=1.8)
            axes.plot(value, place, "o", color=edge, markerfacecolor=face, markersize=6.5)
        for k, item in enumerate(headline.bounds):
            if item.score.value is not None:
                line, name = _BOUND_LINES[k % len(_BOUND_LINES)], _wrap(item.score.name, 26)
                axes.axvline(item.score.value, color=GREY, linestyle=line, label=name)
        axes.set_yticks(range(len(rows)), [_wrap(score.name) for score, _ in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.grid(False, axis="y")
        least = min(value if score.low is None else score.low for score, value in rows)
        if least > 0 and max(value for _, value in rows) > _WIDE * least:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_minor_formatter(NullFormatter())
        else:
            axes.xaxis.set_major_locator(MaxNLocator(4))
        unit = f" ({headline.unit})" if headline.unit else ""
        better = {1: " · more is better", -1: " · less is better", 0: ""}[headline.direction]
        axes.set_xlabel(headline.metric + unit + better, loc="right")  # names stand on the left
        if headline.bounds:
            axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0))
    listed = [*(score for score, _ in rows), *(bound.score for bound in headline.bounds)]
    values = "; ".join(f"{score.name} {score.text} {score.interval}" for score in listed)
    return png.getvalue(), f"{headline.metric} of each row: {values}."


def _wrap(name: str, width: int = 18) -> str:
    return "\n".join(textwrap.wrap(name, width, max_lines=2, placeholder=" …"))
