"""What the figures share: colours, and molecules as pictures."""

from __future__ import annotations

import io
import textwrap

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from PIL import Image
from rdkit.Chem import Mol
from rdkit.Chem.Draw import rdMolDraw2D

matplotlib.use("Agg")

# Okabe & Ito's palette, readable with any colour vision; one line style each besides.
GREY, BLUE, GREEN, ORANGE, VERMILION = "#8A8A8A", "#0072B2", "#009E73", "#E69F00", "#D55E00"
SETS = {
    "train": (GREY, "-"),
    "test": (BLUE, "--"),
    "test, new scaffolds": (GREEN, ":"),
    "generated": (VERMILION, "-"),
}
WIDTH = 10.0  # inches of a figure: as wide as the report's page
_FINER = 2  # pixels of a drawn molecule for one of the figure

Entry = tuple[dict[str, str], dict[str, float | int | str]]  # of explain.json: figure, findings


def picture(mol: Mol, width: float, height: float) -> NDArray[np.uint8]:
    """A molecule drawn for a space of width by height inches: (h, w, 3)."""
    size = [round(150 * _FINER * inches) for inches in (width, height)]
    canvas = rdMolDraw2D.MolDraw2DCairo(*size)
    options = canvas.drawOptions()
    options.useBWAtomPalette()
    options.fixedBondLength = 26 * _FINER
    options.bondLineWidth = 1.6 * _FINER
    options.minFontSize = 11 * _FINER
    options.padding = 0.03
    rdMolDraw2D.PrepareAndDrawMolecule(canvas, mol)
    canvas.FinishDrawing()
    with Image.open(io.BytesIO(canvas.GetDrawingText())) as image:
        return np.asarray(image.convert("RGB"))


def show_molecule(axes: Axes, mol: Mol | None, smiles: str, width: float, height: float) -> None:
    """A molecule in axes of that many inches; an invalid one as the text that was written."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    if mol is not None:
        axes.imshow(picture(mol, width, height))
        return
    characters, lines = int(width * 150 / 10.2), int(height * 150 / 20)
    text = textwrap.fill(
        smiles or "(nothing)", characters, max_lines=lines, placeholder="…", break_on_hyphens=False
    )
    axes.imshow(np.full((round(150 * height), round(150 * width), 3), 244, np.uint8))
    options = {"ha": "center", "va": "center", "transform": axes.transAxes}
    axes.text(0.5, 0.5, text, fontsize=7.5, family="monospace", color="#444444", **options)
