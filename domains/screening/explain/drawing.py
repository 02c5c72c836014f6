"""What the figures share: colours, and molecules as pictures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from PIL import Image
from rdkit import Chem
from rdkit.Chem import rdCoordGen, rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

from pipelines.core.figures import bare
from pipelines.statistics.bootstrap import Interval
from pipelines.statistics.wording import signed

matplotlib.use("Agg")

# Okabe & Ito's palette, readable with any colour vision.
GREY, BLUE, VERMILION = "#8A8A8A", "#0072B2", "#D55E00"
# Purple against, green for: told apart under every common colour blindness.
SCALE = LinearSegmentedColormap.from_list("for and against", ["#9D5BB5", "#FFFFFF", "#3FA65A"])
WIDTH = 10.0  # inches of a figure: as wide as the report's page
CONTROL = "randomised weights"
_FINER = 2  # pixels of a drawn molecule for one of the figure
_STRETCHED = 1.6  # times the usual length of a bond


class Effect(NamedTuple):
    """What the model does, and what each of the networks with randomised weights does."""

    model: Interval
    controls: list[float]

    @property
    def beyond(self) -> bool:
        """Whether it is not zero, and larger than with any control, whose direction is chance."""
        clear = self.model.low * self.model.high > 0
        return clear and abs(self.model.value) > max(map(abs, self.controls))


Entry = tuple[dict[str, str], dict[str, float | int | str]]  # of explain.json: figure, findings


def show_molecule(
    axes: Axes, smiles: str, size: tuple[float, float], shades: np.ndarray | None = None
) -> None:
    """A molecule in axes of so many inches; shades: (atoms,) −1 (purple) to 1 (green)."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.imshow(picture(smiles, size, shades))


def picture(smiles: str, size: tuple[float, float], shades: np.ndarray | None = None) -> np.ndarray:
    """(h, w, 3) uint8 of a molecule, its atoms in the order of the SMILES."""
    mol = rdMolDraw2D.PrepareMolForDrawing(_laid_out(smiles), addChiralHs=False)
    canvas = rdMolDraw2D.MolDraw2DCairo(*(round(150 * _FINER * inches) for inches in size))
    options = canvas.drawOptions()
    options.useBWAtomPalette()
    options.prepareMolsBeforeDrawing = False
    options.fixedBondLength = 32 * _FINER
    options.bondLineWidth = 1.5 * _FINER
    options.minFontSize = 11 * _FINER
    options.padding = 0.04
    options.highlightBondWidthMultiplier = 9
    highlights = {} if shades is None else _highlights(mol, shades)
    canvas.DrawMolecule(mol, **highlights)
    canvas.FinishDrawing()
    with Image.open(io.BytesIO(canvas.GetDrawingText())) as image:
        return np.asarray(image.convert("RGB"))


def _laid_out(smiles: str) -> Chem.Mol:
    """CoordGen draws bridged and large rings without overlaps, but pulls some cages apart."""
    mol = Chem.MolFromSmiles(smiles)
    rdCoordGen.AddCoords(mol)
    places = mol.GetConformer().GetPositions()
    ends = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in mol.GetBonds()]
    lengths = np.array([np.linalg.norm(places[a] - places[b]) for a, b in ends])
    if len(lengths) and lengths.max() > _STRETCHED * np.median(lengths):
        rdDepictor.Compute2DCoords(mol)
    return mol


def _highlights(mol: Chem.Mol, shades: np.ndarray) -> dict[str, object]:
    """Each atom on its colour, each bond on the mean of its ends'."""
    atoms = {k: _colour(shade) for k, shade in enumerate(shades)}
    bonds = {
        bond.GetIdx(): _colour(shades[[bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()]].mean())
        for bond in mol.GetBonds()
    }
    return {
        "highlightAtoms": list(atoms),
        "highlightBonds": list(bonds),
        "highlightAtomColors": atoms,
        "highlightBondColors": bonds,
    }


def _colour(shade: float) -> tuple[float, ...]:
    return tuple(map(float, SCALE(0.5 + 0.5 * np.clip(shade, -1, 1))[:3]))


def show_effects(axes: Axes, names: Sequence[str], effects: Sequence[Effect]) -> None:
    """A bar with its interval for each effect, and beside it a dot for each control."""
    places = np.arange(len(names))
    values, low, high = np.array([effect.model for effect in effects]).T
    axes.bar(places - 0.12, values, 0.4, color=BLUE, label="model")
    errors = np.nan_to_num([values - low, high - values])
    axes.errorbar(places - 0.12, values, errors, fmt="none", ecolor="black", capsize=3)
    controls = np.array([effect.controls for effect in effects])
    at = np.repeat(places + 0.22, controls.shape[1])
    axes.plot(at, controls.ravel(), "o", color=GREY, markersize=4, label=f"{CONTROL}, one each")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xticks(places, names)
    axes.legend(frameon=False)
    bare(axes)


def spread_of(controls: Sequence[float], places: int) -> str:
    """The lowest to the highest: `−0.10 to 0.22`."""
    return f"{signed(min(controls), places)} to {signed(max(controls), places)}"
