"""The best possible reader: what the anatomy of both eyes, measured exactly, says of a person.

Given sex and smoking all factors and features are jointly Gaussian (`effects.py`), so that the
posterior is a mixture of four Gaussians, known in closed form: no reader of the photographs, which
depend on the factors through the anatomy alone, can have a smaller expected squared error (with a
planted `shortcut` they do not, and a reader of that cue can be better). The two
eyes enter by their mean, which is sufficient: their residuals have the same variance.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd

from . import effects
from .effects import CENTRE, FACTORS, FEATURES

VALUES, BINARY = FACTORS[:3], FACTORS[3:]  # age, systolic, bmi; sex, smoking


def bayes_table(names: Sequence[str], anatomy: np.ndarray, effect_scale: float) -> pd.DataFrame:
    """One line a person: `<t>_mean` and `<t>_sd` of each value, `<t>_probability` of the others.

    anatomy: (persons, 2, features), both eyes, columns as `effects.NAMES`.
    """
    weights, means, sds = posterior(anatomy.mean(axis=1), effect_scale)
    columns: dict[str, object] = {"patient": list(names)}
    for k, name in enumerate(VALUES):
        mean = (weights * means[..., k]).sum(axis=1)
        square = (weights * (sds[k] ** 2 + means[..., k] ** 2)).sum(axis=1)
        columns[f"{name}_mean"] = mean
        columns[f"{name}_sd"] = np.sqrt(square - mean**2)
    classes = np.array(list(product((0, 1), repeat=len(BINARY))))
    for k, name in enumerate(BINARY):
        columns[f"{name}_probability"] = weights @ classes[:, k]
    return pd.DataFrame(columns)


def posterior(
    features: np.ndarray, effect_scale: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mixture's weights (n, 4), means (n, 4, values) and deviations (values,).

    features: (n, features), the mean of both eyes. The four parts are the classes (sex, smoking) =
    (0, 0), (0, 1), (1, 0), (1, 1).
    """
    slope = np.array([[f.slopes.get(name, 0.0) for name in FACTORS] for f in FEATURES])
    slope *= effect_scale
    noise = np.diag([f.sd**2 * (1 + f.fellow) / 2 for f in FEATURES])
    prior = _covariance()
    inward = slope[:, : len(VALUES)]
    spread = inward @ prior @ inward.T + noise  # of the features, given the class
    gain = np.linalg.solve(spread, inward @ prior).T
    sds = np.sqrt(np.diag(prior - gain @ inward @ prior))
    logs, means = [], []
    for sex, smoking in product((0, 1), repeat=2):
        centre = np.array([CENTRE[name] for name in VALUES])
        centre[1] += effects.SYSTOLIC_BY["sex"] * (sex - CENTRE["sex"])
        shift = np.array([*centre, sex, smoking]) - [CENTRE[name] for name in FACTORS]
        expected = np.array([f.mean for f in FEATURES]) + slope @ shift
        miss = features - expected
        means.append(centre + miss @ gain.T)
        share = effects.SMOKER[sex] if smoking else 1 - effects.SMOKER[sex]
        share *= effects.MALE if sex else 1 - effects.MALE
        logs.append(
            np.log(share) - 0.5 * np.einsum("ni,ni->n", miss, np.linalg.solve(spread, miss.T).T)
        )
    raw = np.stack(logs, axis=1)
    weights = np.exp(raw - raw.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True), np.stack(means, axis=1), sds


def _covariance() -> np.ndarray:
    """(3, 3) of age, systolic and bmi, given sex and smoking."""
    by_age, by_bmi = effects.SYSTOLIC_BY["age"], effects.SYSTOLIC_BY["bmi"]
    age, bmi = effects.AGE_SD**2, effects.BMI_SD**2
    systolic = by_age**2 * age + by_bmi**2 * bmi + effects.SYSTOLIC_RESIDUAL**2
    return np.array(
        [
            [age, by_age * age, 0.0],
            [by_age * age, systolic, by_bmi * bmi],
            [0.0, by_bmi * bmi, bmi],
        ]
    )
