"""Molecules side by side in one picture."""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rdkit import Chem
from rdkit.Chem.Draw import rdMolDraw2D

CELL = (300, 190)  # px, of one molecule


def picture_of(smiles: Sequence[str], columns: int) -> NDArray[np.uint8]:
    """(height, width, channels) picture of a row of molecules, with room for so many."""
    width, height = CELL
    canvas = rdMolDraw2D.MolDraw2DCairo(columns * width, height, width, height)
    options = canvas.drawOptions()
    options.useBWAtomPalette()
    options.drawMolsSameScale = False  # one large molecule would make all others small
    options.fixedBondLength = 40
    options.minFontSize = 13
    options.padding = 0.04
    canvas.DrawMolecules([Chem.MolFromSmiles(text) for text in smiles])
    canvas.FinishDrawing()
    return np.asarray(Image.open(io.BytesIO(canvas.GetDrawingText())))
