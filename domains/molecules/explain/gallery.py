"""What does it write? Molecules by chance, not the prettiest."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rdkit import Chem

from pipelines.core.figures import save
from pipelines.core.randomness import generator
from pipelines.statistics.wording import signed

from .drawing import WIDTH, Entry, show_molecule
from .sets import Sets

ROWS, COLUMNS = 4, 6
_KEY = 10
_SIZE = (WIDTH / COLUMNS - 0.08, 1.3)  # inches of a molecule


def draw_gallery(out: Path, sets: Sets, seed: int) -> Entry:
    """Write gallery.png: 24 of the valid draws by chance; of none the draws as text."""
    valid = sets.draws[sets.draws["valid"]]
    pool = valid if len(valid) else sets.draws
    order = generator(seed, _KEY).permutation(len(pool))[: ROWS * COLUMNS]
    shown = pool.iloc[order]
    rows = max(1, -(-len(shown) // COLUMNS))
    figure = Figure(figsize=(WIDTH, rows * (_SIZE[1] + 0.46) + 0.1), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.02)
    grid = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axes in grid[len(shown) :]:
        axes.set_axis_off()
    for axes, (_, row) in zip(grid, shown.iterrows(), strict=False):
        _draw(axes, row)
    save(figure, out / "gallery.png")
    entry = {
        "file": "gallery.png",
        "title": "Molecules that it writes",
        "caption": _caption(sets.draws, shown) if len(valid) else _caption_of_none(sets.draws),
    }
    return entry, {}


def _draw(axes: Axes, row: pd.Series) -> None:
    if not row["valid"]:
        show_molecule(axes, None, row["smiles"], *_SIZE)
        return
    show_molecule(axes, Chem.MolFromSmiles(row["canonical"]), row["canonical"], *_SIZE)
    near = "a training molecule" if row["in_train"] else f"similarity {row['similarity']:.2f}"
    axes.set_xlabel(f"QED {row['qed']:.2f}, logP {signed(row['logp'], 1)}\n{near}", fontsize=8.5)


def _caption(draws: pd.DataFrame, shown: pd.DataFrame) -> str:
    copied = int(shown["in_train"].sum())
    return (
        f"{len(shown)} of the {draws['valid'].sum():,} valid molecules among {len(draws):,} draws, "
        "chosen by chance and not for their looks. QED: drug-likeness, 0 to 1; logP: how much "
        "better it dissolves in octanol than in water (log10, calculated); similarity: Tanimoto "
        "coefficient (Morgan fingerprint, radius 2) with the most similar training molecule. "
        f"{copied or 'None'} of those shown {'is' if copied < 2 else 'are'} in the training data; "
        f"the median similarity of those shown is {shown['similarity'].median():.2f}."
    )


def _caption_of_none(draws: pd.DataFrame) -> str:
    return (
        f"None of {len(draws):,} draws is a valid molecule: some of them, as they were written. "
        "The generator has not been trained for long enough."
    )
