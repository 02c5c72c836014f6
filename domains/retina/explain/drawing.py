"""What the figures share: colours, sizes, photographs, names."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.axes import Axes

from ..prepare.arrays import Target

matplotlib.use("Agg")

# Okabe & Ito's palette, readable with any colour vision.
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, GREY, BLACK = "#CC79A7", "#56B4E9", "#8A8A8A", "#1A1A1A"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
WIDTH = 10.0  # inches of a figure: as wide as the report's page
CONTROL = "randomised weights"

Entry = tuple[dict[str, str], dict[str, float | int | str]]  # of explain.json: figure, findings

_NAMES = {
    "age": "age",
    "systolic": "systolic pressure",
    "bmi": "body mass index",
    "sex": "sex",
    "smoking": "smoking",
}


def show_photograph(axes: Axes, image: np.ndarray) -> None:
    """A photograph without ticks."""
    axes.imshow(image)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def named(target: Target | str) -> str:
    """A target's name in words."""
    name = target if isinstance(target, str) else target.name
    return _NAMES.get(name, name.replace("_", " "))


def with_unit(target: Target) -> str:
    """Its name and unit: `systolic pressure (mmHg)`."""
    return f"{named(target)} ({target.unit})" if target.unit else named(target)


def capital(text: str) -> str:
    """The text with a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]
