"""Epidemiology by the network: do its measurements of the anatomy give back what was planted?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.core.artifacts import read_json
from pipelines.core.randomness import generator

from ..prepare.arrays import read_anatomy
from ..train.ensemble import EyeEnsemble
from .drawing import CONTROL, Entry
from .probe import cross_fitted, embedded, fitted
from .slopes_figure import Recovered, draw, short
from .subject import Subject

READABLE = 0.3  # R² on validation persons, below which a feature counts as not read
_LEVELS = (2.5, 97.5)
_MOST = 240  # validation photographs that the control reads


@dataclass(frozen=True)
class Measured:
    """Persons by features: `true` and as the network `read` them, both eyes averaged; the risk
    `factors` of each person, (persons, factors)."""

    true: np.ndarray
    read: np.ndarray
    factors: np.ndarray


def draw_slopes(out: Path, subject: Subject, resamples: int, seed: int) -> Entry | None:
    """Write slopes.png; None for real photographs, of which nothing is known to be planted."""
    anatomy = read_anatomy(subject.prepare, ("validation", "test"))
    if anatomy is None:
        return None
    planted = read_json(subject.prepare / "effects.json")["slopes"]
    features = list(planted)
    table = pd.concat([subject.eyes.table, anatomy[features]], axis=1)
    usable = {s: table[(table["split"] == s) & table["usable"]] for s in ("validation", "test")}
    inputs = {s: _embedded(subject.network, subject, part) for s, part in usable.items()}
    few = usable["validation"][:_MOST]
    quality = {
        "network": _quality(inputs["validation"], usable["validation"], features),
        CONTROL: _quality(_embedded(subject.control, subject, few), few, features),
    }
    chosen = [f for f in features if quality["network"][f] >= READABLE]
    checked, tested = _measured(subject, usable, inputs, chosen)
    factors = [t.name for t in subject.targets if t.name in planted[features[0]]]
    slopes = np.array([[planted[f][t] for t in factors] for f in chosen]).reshape(-1, len(factors))
    kept = _known(subject, tested)
    found = recover(checked, kept, slopes, (chosen, factors), resamples, seed)
    draw(out / "slopes.png", found, quality, READABLE)
    entry = {
        "file": "slopes.png",
        "title": "What was planted, recovered",
        "caption": _caption(found, len(kept.true), quality, bool(subject.network.anatomy)),
    }
    return entry, _findings(found, quality)


def recover(
    checked: Measured,
    tested: Measured,
    planted: np.ndarray,
    names: tuple[list[str], list[str]],
    resamples: int,
    seed: int,
) -> Recovered:
    """Slopes of the anatomy, as the network reads it, on the true risk factors of test persons.

    What the network reads of a feature is weakened and mixed with other features. Both are
    measured on validation persons (`read` regressed on `true`) and undone (regression calibration
    backwards, Carroll et al. 2006, Measurement Error in Nonlinear Models, chapter 4), so that the
    slopes are unbiased, however poor the reading; poor ones have wide intervals. The bootstrap
    resamples the persons of both sets.

    planted: (features, factors), in units; names: of features and factors.
    """
    if not names[0]:
        return Recovered(*names, *np.zeros((4, 0, len(names[1]))))
    units = tested.factors.std(axis=0)[None] / checked.true.std(axis=0)[:, None]
    draws = []
    for k in range(resamples):
        rng = generator(seed, k, 2)
        one, other = (rng.integers(len(m.true), size=len(m.true)) for m in (checked, tested))
        draws.append(_slopes(_rows(checked, one), _rows(tested, other)))
    low, high = np.percentile(draws, _LEVELS, axis=0) * units
    return Recovered(*names, planted * units, _slopes(checked, tested) * units, low, high)


def _slopes(checked: Measured, tested: Measured) -> np.ndarray:
    """(features, factors) in units."""
    calibration = _regressed(checked.read, checked.true)  # (1 + features, features)
    undone = np.linalg.lstsq(calibration[1:].T, (tested.read - calibration[0]).T, rcond=None)[0].T
    return _regressed(undone, tested.factors)[1:].T


def _regressed(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(1 + columns of x, columns of y): intercepts, then slopes, by least squares."""
    design = np.column_stack([np.ones(len(x)), x])
    return np.linalg.lstsq(design, y, rcond=None)[0]


def _rows(measured: Measured, rows: np.ndarray) -> Measured:
    return Measured(measured.true[rows], measured.read[rows], measured.factors[rows])


def _known(subject: Subject, measured: Measured) -> Measured:
    return _rows(measured, np.flatnonzero(np.isfinite(measured.factors).all(axis=1)))


def _embedded(network: EyeEnsemble, subject: Subject, part: pd.DataFrame) -> np.ndarray:
    return embedded(network, subject.eyes.images[part.index.to_numpy()])


def _quality(inputs: np.ndarray, part: pd.DataFrame, features: list[str]) -> dict[str, float]:
    """R² of each feature as read on validation persons who were left out of the probe's fit."""
    read = cross_fitted(inputs, part, features)
    persons = part["patient"].to_numpy()
    true, said = (
        pd.DataFrame(values).groupby(persons, sort=False).mean().to_numpy()
        for values in (part[features].to_numpy(float), read)
    )
    spread = np.maximum(((true - true.mean(axis=0)) ** 2).sum(axis=0), 1e-12)
    return dict(zip(features, 1 - ((true - said) ** 2).sum(axis=0) / spread, strict=True))


def _measured(
    subject: Subject,
    usable: dict[str, pd.DataFrame],
    inputs: dict[str, np.ndarray],
    features: list[str],
) -> tuple[Measured, Measured]:
    """Validation persons, each read by a probe that was fitted without them, and test persons."""
    checked = usable["validation"]
    read = {
        "validation": cross_fitted(inputs["validation"], checked, features),
        "test": fitted(inputs["validation"], checked, features)(inputs["test"]),
    }
    factors = [target.name for target in subject.targets]
    found = []
    for split, part in usable.items():
        values = np.column_stack([part[features].to_numpy(float), read[split], part[factors]])
        means = pd.DataFrame(values).groupby(part["patient"].to_numpy(), sort=False).mean()
        k = len(features)
        columns = means.to_numpy(float)
        found.append(Measured(columns[:, :k], columns[:, k : 2 * k], columns[:, 2 * k :]))
    return found[0], found[1]


def _findings(
    found: Recovered, quality: dict[str, dict[str, float]]
) -> dict[str, float | int | str]:
    real, zero = found.planted != 0, found.planted == 0
    none = int((zero & (found.low <= 0) & (found.high >= 0)).sum())
    texts: dict[str, float | int | str] = {
        "planted slopes of measurable features inside the 95 % interval": (
            f"{int((found.covered & real).sum())} of {int(real.sum())}"
        ),
        "slopes not planted whose 95 % interval holds zero": f"{none} of {int(zero.sum())}",
    }
    for who, values in quality.items():
        count = sum(value >= READABLE for value in values.values())
        texts[f"features of the anatomy that are read, {who}"] = f"{count} of {len(values)}"
    return texts


def _caption(
    found: Recovered, persons: int, quality: dict[str, dict[str, float]], auxiliary: bool
) -> str:
    left_out = [short(f) for f, v in quality["network"].items() if v < READABLE]
    without = (
        f" Not read well enough to be tested, with what was planted in them: {', '.join(left_out)}."
        if left_out
        else ""
    )
    taught = (
        "The network has been taught this anatomy in training (`auxiliary`), which of real "
        "photographs is not known. "
        if auxiliary
        else ""
    )
    return (
        f"{taught}How the anatomy, as the network measures it in the photographs of "
        f"{persons} test persons, follows their true risk factors (all in one regression). What "
        "its measurements lose and mix up is known from validation persons and undone. Left: "
        "against what was planted in the generator; on the line the truth is recovered. Middle: "
        "where nothing was planted, the slope is to be zero. Bars: 95 % intervals, bootstrap over "
        f"persons: one in twenty misses.{without} Right: how well each feature can be measured "
        "with the network, and with the control, the same network with randomised (shuffled) "
        "weights: what even that measures, such as contrast, needs no learning."
    )
