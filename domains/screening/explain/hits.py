"""What a chemist would order: the top of the library, far from all that is known to be active."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from pipelines.core.artifacts import read_csv, read_json
from pipelines.core.figures import save
from pipelines.statistics.wording import signed

from ..prepare.arrays import Target
from .drawing import WIDTH, Entry, show_molecule

ROWS, COLUMNS = 3, 4
_SIZE = (WIDTH / COLUMNS - 0.1, 1.7)  # inches of a molecule
_NAME = 30  # characters
_TEXTS = ("name", "smiles", "nearest_active", "alerts")


def draw_hits(out: Path, folder: Path, target: Target, members: int) -> Entry | None:
    """Write hits.png: the first dissimilar molecules of ranking.csv; None if there are none.

    Those outside the domain of applicability are passed over: of them a score says little.
    members: networks of the ensemble.
    """
    ranking = read_csv(folder / "ranking.csv", text=_TEXTS)
    ranked = ranking.dropna(subset="rank_dissimilar").sort_values("rank_dissimilar", kind="stable")
    shown = ranked[ranked["inside"]][: ROWS * COLUMNS]
    if not len(shown):
        return None
    rows = -(-len(shown) // COLUMNS)
    figure = Figure(figsize=(WIDTH, rows * (_SIZE[1] + 0.86) + 0.1), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.03, wspace=0.01, hspace=0.02)
    grid = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axes in grid[len(shown) :]:
        axes.set_axis_off()
    for axes, (_, row) in zip(grid, shown.iterrows(), strict=False):
        show_molecule(axes, row["smiles"], _SIZE)
        axes.set_title(_title(row), fontsize=9, fontweight="bold")
        axes.set_xlabel(_told(row, target), fontsize=8.5)
    save(figure, out / "hits.png")
    coverage = read_json(folder / "calibration.json")["coverage"]
    interval = _interval(target, coverage, members)
    entry = {
        "file": "hits.png",
        "title": f"The most promising molecules of the library that are unlike {_known(target)}",
        "caption": _caption(ranking, ranked, shown, target, interval),
    }
    return entry, {
        "library molecules that were not measured": int(ranking["rank_new"].notna().sum()),
        f"of them dissimilar to all {_known(target)}": len(ranked),
    }


def _title(row: pd.Series) -> str:
    name = row["name"] if isinstance(row.get("name"), str) else ""
    name = name.capitalize() if name.isupper() else name
    short = name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
    return f"{row['rank_dissimilar']:.0f}. {short}".strip()


def _told(row: pd.Series, target: Target) -> str:
    places = 2 if target.kind == "class" else 1
    score, low, high = (signed(row[name], places) for name in ("score", "low", "high"))
    alert = ["PAINS alert"] if isinstance(row["alerts"], str) else []
    likeness = f"similarity {row['similarity_active']:.2f}"
    if "similarity_inactive" in row:
        likeness += f", to the opposite {row['similarity_inactive']:.2f}"
    texts = [
        f"score {score} [{low}, {high}] {target.unit}".strip(),
        likeness,
        f"QED {row['qed']:.2f}",
    ]
    return "\n".join([*texts[:2], ", ".join(texts[2:] + alert)])


def _known(target: Target) -> str:
    if target.kind == "value":
        return "known molecules"
    name = target.positive or target.name
    if target.better == "low":
        return f"those known as not {name}"
    return f"the known actives ({name})"


def _interval(target: Target, coverage: float, members: int) -> str:
    share = f"{100 * coverage:g} %"
    if target.kind == "value":
        return f"a {share} prediction interval"
    return f"the middle {share} of what {members} networks say, which is no confidence interval"


def _caption(
    ranking: pd.DataFrame, ranked: pd.DataFrame, shown: pd.DataFrame, target: Target, interval: str
) -> str:
    last = shown["rank_dissimilar"].max()
    opposite = ", and of those measured as the opposite, which a hit should not be nearer to"
    passed = int((~ranked.loc[ranked["rank_dissimilar"] < last, "inside"]).sum())
    return (
        f"The first {len(shown)} of {len(ranked):,} dissimilar molecules in a library of "
        f"{len(ranking):,}: not measured, and less similar (Tanimoto, Morgan radius 2) to all "
        f"{_known(target)} than the limit `dissimilar`; {passed} before the last are passed over, "
        "since they are outside the domain of applicability, where a score says little. In "
        f"brackets {interval}. Similarity: to the nearest of these"
        f"{opposite if target.kind == 'class' else ''}; QED: drug-likeness, 0 to 1; PAINS: "
        "substructures that interfere with many assays. A score is a reason to test a molecule, "
        "not a result."
    )
