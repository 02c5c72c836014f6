"""The picture of what each atom adds to the score, beside networks that have learnt nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from pipelines.core.figures import save
from pipelines.statistics.wording import signed

from .attribution import attributed
from .drawing import CONTROL, SCALE, WIDTH, Entry, show_molecule
from .subject import Subject

COLUMNS = 4
UNKNOWN = "not measured"
SMALLEST, LARGEST = 8, 45  # atoms of a molecule that is shown: few would take all the colour
_SIZE = (2.3, 1.65)  # inches of a molecule
_FULL = 97  # percentile of the attributions at which the colour is full


def draw_atoms(out: Path, subject: Subject) -> Entry | None:
    """Write atoms.png: test molecules with the highest and the lowest scores, atoms coloured.

    None if none is of a size for it.
    """
    high, low = extremes(subject)
    if not len(high):
        return None
    titles = ("Highest scores", f"The same molecules, {CONTROL}", "Lowest scores")
    lines = (high, high, low)
    networks = (subject.ensemble, subject.controls[0], subject.ensemble)
    found = [
        attributed(subject.score(network, rows), subject.graphs.take(rows))
        for network, rows in zip(networks, lines, strict=True)
    ]
    both = _full([*found[0], *found[2]])
    full = (both, _full(found[1]), both)
    figure = Figure(figsize=(WIDTH, 3 * (_SIZE[1] + 0.6)), layout="constrained")
    parts = figure.subfigures(3, 1)
    for k, part in enumerate(parts):
        part.suptitle(titles[k], fontsize=10, fontweight="bold")
        grid = part.subplots(1, COLUMNS)
        for axes in grid[len(lines[k]) :]:
            axes.set_axis_off()
        for axes, row, weight in zip(grid, lines[k], found[k], strict=False):
            show_molecule(axes, subject.table["smiles"].iloc[row], _SIZE, weight / full[k])
            axes.set_xlabel("" if k == 1 else _told(subject, row), fontsize=8.5)
        _draw_scale(part, grid, full[k], subject.unit)
    save(figure, out / "atoms.png")
    title = "Which atoms carry the score"
    findings: dict[str, float | int | str] = {
        f"full colour in the picture of atoms ({subject.unit} per hidden atom)": both
    }
    return {"file": "atoms.png", "title": title, "caption": _caption(subject)}, findings


def extremes(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    """Lines of the test molecules with the highest and with the lowest scores, one a group."""
    atoms = np.diff(subject.graphs.atom_offsets)[subject.said.index]
    drawn = (atoms >= SMALLEST) & (atoms <= LARGEST)
    tested = subject.said[drawn & (subject.said["split"] == "test")]
    order = tested.sort_values(f"{subject.target.name}_score", kind="stable", ascending=False)
    high = order.drop_duplicates("group")[:COLUMNS]
    others = order[~order["group"].isin(high["group"])][::-1]
    low = others.drop_duplicates("group")[:COLUMNS]
    return high.index.to_numpy(), low.index.to_numpy()


def _full(weights: list[np.ndarray]) -> float:
    return float(np.percentile(np.abs(np.concatenate(weights)), _FULL)) or 1.0


def _draw_scale(part: Figure, grid: np.ndarray, most: float, unit: str) -> None:
    bar = part.colorbar(
        ScalarMappable(Normalize(-most, most), SCALE), ax=list(grid), aspect=14, pad=0.01
    )
    bar.set_label(f"fall per hidden atom\n({unit})", fontsize=8.5)
    bar.ax.tick_params(labelsize=8)


def _told(subject: Subject, row: int) -> str:
    """Score and truth."""
    said, target = subject.said.loc[row], subject.target
    score, truth = said[f"{target.name}_score"], said[target.name]
    if target.kind == "value":
        true = f"true {signed(truth, 2)}" if np.isfinite(truth) else UNKNOWN
        return f"{signed(score, 2)} {target.unit}, {true}"
    labels = {1.0: target.positive, 0.0: f"not {target.positive}"}
    return f"score {score:.3f}, {labels.get(truth, UNKNOWN)}"


def _caption(subject: Subject) -> str:
    return (
        f"Test molecules of {SMALLEST} to {LARGEST} atoms with the highest and the lowest scores, "
        "one of each group that the split keeps together. The colour of an atom is the fall of "
        f"the score ({subject.unit}, mean of the ensemble) when it and its direct neighbours are "
        "hidden from the network, per hidden atom: green speaks for a high score, purple against "
        "it. Middle line, the control: the same molecules as a network with randomised (shuffled) "
        f"weights sees them, on a scale of its own.{subject.told_all}"
    )
