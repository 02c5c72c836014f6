"""Persons and their eyes, drawn from a causal graph: factors, then anatomy, then the camera.

Every draw is a pure function of (seed, person, eye): the same person with another blood pressure
has the same eyes but for what the pressure does to them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.core.artifacts import read_json
from pipelines.core.randomness import generator

from . import effects
from .effects import FEATURES

SIDES = ("left", "right")
OUT_OF_FOCUS_UM = (60.0, 700.0)  # from what the eye hardly sees to what nobody could miss
_FACTORS, _ANATOMY, _CAMERA = range(3)  # the third number of a key; eyes follow


@dataclass(frozen=True)
class Camera:
    """How an eye was photographed: nuisances, which no factor acts on unless one is planted.

    magnification: 1 is a field of 7 mm; pigment: melanin, standardised; warmth: the camera's
    colour, standardised, positive is redder; gain: exposure, 1 is right; defocus_um: deviation of
    the blur on the retina; vignette: loss of light at the edge, share; shift_x_mm, shift_y_mm: of
    the field's centre; haze: share of light scattered by the lens; noise: deviation, grey values
    of 255; jpeg: quality, 1 to 100.
    """

    magnification: float
    pigment: float
    warmth: float
    gain: float
    defocus_um: float
    vignette: float
    shift_x_mm: float
    shift_y_mm: float
    haze: float
    noise: float
    jpeg: int


@dataclass(frozen=True)
class Eye:
    """What one photograph is drawn from.

    key: of the random draws of its drawing; side: left or right; anatomy: of each of
    `effects.NAMES`; camera: the nuisances.
    """

    key: tuple[int, ...]
    side: str
    anatomy: Mapping[str, float]
    camera: Camera

    def row(self) -> dict[str, float]:
        """Its line of anatomy.csv."""
        return {**self.anatomy, **vars(self.camera)}


@dataclass(frozen=True)
class Person:
    """A person: `factors` of each of `effects.FACTORS`, and where it stands in its cohort."""

    cohort: Cohort
    index: int
    factors: Mapping[str, float]

    @property
    def name(self) -> str:
        """As in the column `patient` of eyes.csv."""
        return f"p{self.index:05d}"

    def with_(self, **factors: float) -> Person:
        """The same person with other factors, such as systolic=160."""
        return dataclasses.replace(self, factors={**self.factors, **factors})


@dataclass(frozen=True)
class Cohort:
    """All persons that one seed can draw.

    effect_scale: multiplies the published effects; shortcut: whether the camera's colour follows
    age, as where the old were photographed in another clinic.
    """

    seed: int
    effect_scale: float
    shortcut: bool = False

    def person(self, index: int) -> Person:
        """Person number `index`."""
        rng = generator(self.seed, index, _FACTORS)
        normal, uniform = rng.standard_normal(3), rng.random(2)
        age = effects.AGE_MEAN + effects.AGE_SD * normal[0]
        bmi = max(effects.BMI_MEAN + effects.BMI_SD * normal[1], 14.0)
        male = float(uniform[0] < effects.MALE)
        factors = {"age": age, "bmi": bmi, "sex": male}
        pressure = effects.SYSTOLIC_MEAN + effects.SYSTOLIC_RESIDUAL * normal[2]
        pressure += sum(
            slope * (factors[name] - effects.CENTRE[name])
            for name, slope in effects.SYSTOLIC_BY.items()
        )
        smoker = float(uniform[1] < effects.SMOKER[int(male)])
        return Person(self, index, {**factors, "systolic": pressure, "smoking": smoker})

    def named(self, name: str) -> Person:
        """The person that eyes.csv calls `name`."""
        return self.person(int(name.removeprefix("p")))


def eyes(person: Person) -> tuple[Eye, Eye]:
    """The left and the right eye of a person."""
    cohort = person.cohort
    shared, own = _residuals(cohort.seed, person.index)
    found = []
    for side, name in enumerate(SIDES):
        anatomy = {}
        for k, feature in enumerate(FEATURES):
            residual = np.sqrt(feature.fellow) * shared[k]
            residual += np.sqrt(1 - feature.fellow) * own[side, k]
            effect = sum(
                slope * (person.factors[factor] - effects.CENTRE[factor])
                for factor, slope in feature.slopes.items()
            )
            anatomy[feature.name] = float(
                feature.mean + cohort.effect_scale * effect + feature.sd * residual
            )
        key = (cohort.seed, person.index, side)
        found.append(Eye(key, name, anatomy, _camera(person, side)))
    return found[0], found[1]


def read_cohort(folder: Path) -> Cohort | None:
    """The cohort that a prepare folder was drawn from, None for real photographs."""
    path = folder / "cohort.json"
    return Cohort(**read_json(path)) if path.is_file() else None


def _residuals(seed: int, index: int) -> tuple[np.ndarray, np.ndarray]:
    """(features,) that both eyes share and (2, features) of each, standard normal."""
    draws = generator(seed, index, _ANATOMY).standard_normal((3, len(FEATURES)))
    return draws[0], draws[1:]


def _camera(person: Person, side: int) -> Camera:
    """Pigment and camera are the person's, focus and aim the photograph's."""
    cohort = person.cohort
    both = generator(cohort.seed, person.index, _CAMERA).standard_normal(5)
    rng = generator(cohort.seed, person.index, _CAMERA, side)
    normal, uniform = rng.standard_normal(5), rng.random(4)
    warmth = both[1]
    if cohort.shortcut:
        years = (person.factors["age"] - effects.AGE_MEAN) / effects.AGE_SD
        warmth = 0.9 * years + np.sqrt(1 - 0.9**2) * warmth
    bad = uniform[0] < 0.03  # out of focus
    low, high = OUT_OF_FOCUS_UM
    dark = uniform[0] > 0.98
    return Camera(
        magnification=float(np.exp(0.025 * both[2])),
        pigment=float(both[0]),
        warmth=float(warmth),
        gain=float(np.exp(0.10 * normal[0] + 0.06 * both[3]) * (0.2 if dark else 1.0)),
        defocus_um=float(low * (high / low) ** uniform[2] if bad else 12 + 16 * uniform[1]),
        vignette=float(0.22 + 0.22 * uniform[2]),
        shift_x_mm=float(0.10 * normal[1]),
        shift_y_mm=float(0.12 * normal[2]),
        haze=float(0.03 + 0.16 * uniform[1] ** 2),
        noise=float(0.6 + 1.2 * uniform[3]),
        jpeg=int(np.clip(round(90 + 3 * normal[3]), 75, 98)),
    )
