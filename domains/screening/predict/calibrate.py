"""From what an ensemble says to scores with intervals, by its errors on validation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from pipelines.core.artifacts import read_json, write_json
from pipelines.core.errors import UserError

from ..prepare.arrays import Target
from .params import PredictParams

FILE = "calibration.json"
FLATTEST = 0.01  # slope of a logistic curve: an ensemble that knows nothing still ranks

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Platt:
    """Probability of a logit: a logistic curve (Platt 1999)."""

    slope: float
    intercept: float

    def __call__(self, logits: Numbers) -> Numbers:
        """Probabilities."""
        return expit(self.slope * logits + self.intercept)


@dataclass(frozen=True)
class Isotonic:
    """Probability of a logit: linear between points that rise (Zadrozny & Elkan 2002)."""

    logits: list[float]
    probabilities: list[float]

    def __call__(self, logits: Numbers) -> Numbers:
        """Probabilities."""
        return np.interp(logits, self.logits, self.probabilities)


@dataclass(frozen=True)
class Conformal:
    """Half an interval: `width`, or `width` · (`typical` + spread), in the value's unit.

    Split conformal prediction (Lei et al. 2018), scaled by the spread where `typical`, the median
    spread on validation, is not None.
    """

    width: float
    typical: float | None

    def __call__(self, spread: Numbers) -> Numbers:
        """Half widths."""
        return self.width * _scale(spread, self.typical)


Rule = Platt | Isotonic | Conformal
Kind = Literal["platt", "isotonic"]


@dataclass(frozen=True)
class Calibration:
    """What calibration.json holds.

    coverage: nominal, of intervals; inside: lowest similarity to a training molecule within the
    domain of applicability; targets: of each target how it is calibrated.
    """

    coverage: float
    inside: float
    targets: dict[str, Rule]

    def answers(self, said: Numbers, targets: Sequence[Target]) -> pd.DataFrame:
        """Of each target `<t>_score`, `<t>_low`, `<t>_high` and `<t>_spread`, n rows.

        The score is that of the members' mean, the spread their standard deviation. The interval of
        a value is conformal: its nominal coverage, on average over sets of validation molecules,
        holds for molecules like these (but for about 1 %, the cost of choosing the shorter of two
        kinds) and not for others, such as new scaffolds. That of a class is
        the range of the middle `coverage` of the members' calibrated probabilities: how far they
        differ, no promise.

        said: (members, n, T), as `Ensemble.predict` has it.
        """
        table = {}
        for k, target in enumerate(targets):
            rule = self.targets[target.name]
            members, mean = said[:, :, k], said[:, :, k].mean(axis=0)
            if isinstance(rule, Conformal):
                score, spread = mean, members.std(axis=0)
                low, high = score - rule(spread), score + rule(spread)
            else:
                score, members = rule(mean), rule(members)
                spread = members.std(axis=0)
                tails = (1 - self.coverage) / 2, (1 + self.coverage) / 2
                low, high = np.quantile(members, tails, axis=0)
                low, high = np.minimum(low, score), np.maximum(high, score)
            parts = {"score": score, "low": low, "high": high, "spread": spread}
            table.update({f"{target.name}_{name}": part for name, part in parts.items()})
        return pd.DataFrame(table)


def calibrate(
    params: PredictParams,
    targets: Sequence[Target],
    table: pd.DataFrame,
    said: Numbers,
    likeness: Numbers,
) -> Calibration:
    """From the validation molecules.

    Args:
        params: of the stage.
        targets: T of them.
        table: n rows with `split` and a column for each target, NaN if unknown.
        said: (members, n, T), as `Ensemble.predict` has it.
        likeness: (n,) similarity to the nearest training molecule.
    """
    checked = (table["split"] == "validation").to_numpy()
    inside = float(np.quantile(likeness[checked], params.outside))
    rules = fit_rules(params.calibration, params.coverage, targets, table, said)
    return Calibration(params.coverage, inside, rules)


def fit_rules(
    kind: Kind, coverage: float, targets: Sequence[Target], table: pd.DataFrame, said: Numbers
) -> dict[str, Rule]:
    """Of each target that of `fit_rule`, on its labelled validation molecules.

    table, said: as in `calibrate`.
    """
    rules = {}
    for k, target in enumerate(targets):
        truth = table[target.name].to_numpy(float)
        known = (table["split"] == "validation").to_numpy() & ~np.isnan(truth)
        rules[target.name] = fit_rule(kind, coverage, target, said[:, known, k], truth[known])
    return rules


def write_calibration(out: Path, calibration: Calibration) -> None:
    """Write calibration.json."""
    write_json(out / FILE, asdict(calibration))


def read_calibration(folder: Path) -> Calibration:
    """What `predict` has found."""
    content = read_json(folder / FILE)
    rules = {name: _rule(rule) for name, rule in content["targets"].items()}
    return Calibration(content["coverage"], content["inside"], rules)


def _rule(content: dict[str, Any]) -> Rule:
    kinds: dict[str, type[Rule]] = {"slope": Platt, "logits": Isotonic, "width": Conformal}
    return kinds[next(iter(content))](**content)


def fit_rule(kind: Kind, coverage: float, target: Target, said: Numbers, truth: Numbers) -> Rule:
    """How one target is calibrated on n molecules.

    kind: of classes, as in `PredictParams`; coverage: nominal, of values' intervals; said:
    (members, n) logits, or values; truth: (n,), all known.

    Raises UserError where n is too small for the coverage.
    """
    mean = said.mean(axis=0)
    if target.kind == "value":
        most = len(truth) / (len(truth) + 1)
        if coverage > most:
            raise UserError(
                f"screening.predict.coverage: found {coverage:g}; {len(truth)} validation "
                f"molecules with {target.name} can promise {math.floor(1000 * most) / 1000:g} at "
                "most: lower it, or enlarge validation"
            )
        return _conformal(np.abs(truth - mean), said.std(axis=0), coverage)
    return _isotonic(mean, truth) if kind == "isotonic" else _platt(mean, truth)


def _platt(logits: Numbers, truth: Numbers) -> Platt:
    """Likeliest curve; with Platt's aims, which are not quite 0 and 1, it is finite."""
    ones = truth.sum()
    zeros = len(truth) - ones
    aims = np.where(truth > 0.5, (ones + 1) / (ones + 2), 1 / (zeros + 2))

    def loss(curve: Numbers) -> tuple[float, Numbers]:
        z = curve[0] * logits + curve[1]
        error = expit(z) - aims
        gradient = np.array([(error * logits).mean(), error.mean()])
        return float((np.logaddexp(0, z) - aims * z).mean()), gradient

    bounds = [(FLATTEST, None), (None, None)]
    slope, intercept = minimize(loss, [1.0, 0.0], jac=True, bounds=bounds).x
    return Platt(float(slope), float(intercept))


def _isotonic(logits: Numbers, truth: Numbers) -> Isotonic:
    curve = IsotonicRegression(y_min=0, y_max=1).fit(logits, truth)
    return Isotonic(curve.X_thresholds_.tolist(), curve.y_thresholds_.tolist())


def _conformal(errors: Numbers, spread: Numbers, coverage: float) -> Conformal:
    """Of both kinds that with the shorter intervals."""
    kinds = []
    for typical in (None, float(np.median(spread))):
        scale = _scale(spread, typical)
        if (scale > 0).all():
            kinds.append(Conformal(conformal_quantile(errors / scale, coverage), typical))
    return min(kinds, key=lambda kind: float(kind(spread).mean()))


def conformal_quantile(errors: Numbers, coverage: float) -> float:
    """The ⌈(n + 1) · coverage⌉-th smallest of n errors.

    Of fewer than coverage / (1 − coverage) errors it is the largest, which covers less than that.
    """
    rank = min(math.ceil((len(errors) + 1) * coverage - 1e-9), len(errors))  # 25 · 0.56 is 14
    return float(np.sort(errors)[rank - 1])


def _scale(spread: Numbers, typical: float | None) -> Numbers:
    return np.ones_like(spread) if typical is None else typical + spread
