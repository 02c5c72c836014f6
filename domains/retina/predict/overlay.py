"""A photograph beside what is said of it and where the network looked."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..prepare.arrays import Target

TILE, CAPTION, GAP = 256, 63, 6  # px
FONT = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")  # it has ², Pillow's not
CEILING = 99.0  # percentile of the attention that is drawn at full strength


def write_overlay(
    path: Path,
    picture: np.ndarray,
    maps: np.ndarray,
    row: Mapping[str, Any],
    targets: Sequence[Target],
    note: str = "",
) -> None:
    """Write a PNG: the photograph, then for each target the attention over its grey image.

    picture: (H, W, 3) uint8; maps: (T, H, W), as `gradient_attention` gives them; row: of
    predictions.csv; note: below the photograph. Where nothing is said it stands alone, with the
    reason.
    """
    tiles = [_tile(_large(picture), row["file"], _state(row), note)]
    if not row["abstained"]:
        for target, weight in zip(targets, maps, strict=True):
            tiles.append(_tile(_heated(picture, weight), target.name, _value(row, target)))
    Image.fromarray(np.concatenate(tiles, axis=1)[:, :-GAP]).save(path)


def _state(row: Mapping[str, Any]) -> str:
    if not row["abstained"]:
        return f"blur {row['blur']:.2f}, exposure {row['exposure']:.2f}"
    return "nothing said: too uncertain" if row["usable"] else "nothing said: quality"


def _value(row: Mapping[str, Any], target: Target) -> str:
    if target.kind == "binary":
        return f"P({target.positive or 'yes'}) = {row[f'{target.name}_probability']:.2f}"
    mean, low, high = (row[f"{target.name}_{what}"] for what in ("mean", "low", "high"))
    places = max(0, 1 - math.floor(math.log10(max(high - low, 1e-9))))
    return f"{mean:.{places}f} {target.unit} ({low:.{places}f} to {high:.{places}f})"


def _heated(picture: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The attention in colour, opaque where it is strong, over the grey photograph."""
    grey = np.repeat(_large(picture)[..., 1:2], 3, axis=2).astype(np.float32)
    top = max(float(np.percentile(weight, CEILING)), 1e-12)
    share = cv2.resize(
        (weight / top).clip(0, 1).astype(np.float32), (TILE, TILE), interpolation=cv2.INTER_LINEAR
    )
    colours = cv2.applyColorMap((255 * share).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    mixed = grey * (1 - share[..., None]) + colours * share[..., None]
    return mixed.round().astype(np.uint8)


def _large(picture: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, (TILE, TILE), interpolation=cv2.INTER_CUBIC)


def _tile(image: np.ndarray, *lines: str) -> np.ndarray:
    """An image over up to three lines of text, with a gap on its right."""
    canvas = Image.new("RGB", (TILE + GAP, TILE + CAPTION), "white")
    canvas.paste(Image.fromarray(image), (0, 0))
    draw = ImageDraw.Draw(canvas)
    for k, line in enumerate(lines):
        font = ImageFont.truetype(FONT, size=13)
        while draw.textlength(line, font=font) > TILE - 8 and len(line) > 4:
            line = line[:-2] + "…"
        draw.text((4, TILE + 3 + 19 * k), line, fill="black", font=font)
    return np.array(canvas)
