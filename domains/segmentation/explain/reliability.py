"""Does the network know when it may be wrong?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipelines.core.figures import bare, save

from ..evaluate.calibration import calibration_error, reliability, scaled
from ..predict.network import Segmentation
from ..prepare.arrays import Format, Sample
from ..prepare.preview import BLUE, GREEN, ORANGE


def draw_reliability(
    out: Path,
    samples: Sequence[Sample],
    maps: Sequence[np.ndarray],
    form: Format,
    temperature: float,
    control: Segmentation,
) -> tuple[dict[str, str], dict[str, Any]]:
    """Write reliability.png; return its entry and the expected calibration errors.

    temperature: found on validation; the curve after scaling with it is drawn too.
    """
    tables = {
        "model": reliability(maps, samples, form),
        "temperature-scaled": reliability(scaled(maps, form, temperature), samples, form),
        "randomised weights": reliability([control(samples[0].image)], samples[:1], form),
    }
    errors = {name: calibration_error(table) for name, table in tables.items()}
    _draw(out / "reliability.png", tables, errors, 0.0 if form.labels == "classes" else 0.5)
    caption = (
        "How often a test pixel is right (above) and how many pixels there are (below, "
        "logarithmic) by the confidence of the network's answer. On the dashed line confidence "
        "means what it says; the calibration error is the mean distance from it over the pixels. "
        f"Scaled: with the temperature {temperature:.2f}, found on the validation samples. "
        "Control: the network with its weights shuffled, on one test image."
    )
    entry = {"file": "reliability.png", "title": "Confidence and accuracy", "caption": caption}
    findings = {
        "expected calibration error": errors["model"],
        "expected calibration error, temperature-scaled": errors["temperature-scaled"],
        "temperature": temperature,
        "expected calibration error, randomised weights": errors["randomised weights"],
    }
    return entry, findings


def _draw(
    path: Path, tables: dict[str, pd.DataFrame], errors: dict[str, float], least: float
) -> None:
    """Accuracy against confidence from `least` to 1, above the pixels' distribution."""
    figure = Figure(figsize=(5.5, 5.5), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=[3, 1], sharex=True)
    above.plot([least, 1], [least, 1], color="grey", linewidth=1, linestyle="--", label="ideal")
    for (name, table), colour, shift in zip(
        tables.items(), (BLUE, GREEN, ORANGE), (-1, 0, 1), strict=True
    ):
        label = f"{name}, calibration error {errors[name]:.3f}"
        above.plot(table["confidence"], table["accuracy"], "o-", color=colour, label=label)
        below.bar(table["confidence"] + shift * 0.012, table["share"], 0.012, color=colour)
    above.set_ylabel("share of pixels that are right")
    above.set_ylim(0, 1.02)
    above.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    below.set_ylabel("share of all")
    below.set_yscale("log")
    below.set_xlabel("confidence of the pixel's answer")
    for axes in (above, below):
        bare(axes)
    save(figure, path)
