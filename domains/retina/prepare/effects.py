"""What is planted: how risk factors act on the anatomy of the fundus, from published cohorts.

Every feature of an eye is linear in the person's factors, with Gaussian residuals that correlate
between the two eyes, so that the best possible reader can be computed (`posterior.py`). The slopes
are adjusted ones (for the other factors) and hold at `effect_scale` 1; the scale multiplies them
and leaves the residuals as they are.

Sources, as far as their abstracts say it:
- persons: UK Biobank (age 56.8 ± 8.2 years, systolic 136.8 ± 18.3 mmHg, 55 % women), as in Poplin
  et al. 2018, doi 10.1038/s41551-018-0195-0; body mass index 27.3 ± 4.7 kg/m²: Tapp et al. 2020,
  below;
- arteriolar calibre (CRAE) −2.74 µm per 10 mmHg, −0.73 µm per 10 years, +4.29 µm in smokers: Klein
  et al. 2012, doi 10.1001/archophthalmol.2012.560;
- venular calibre (CRVE) +5.34 µm in men, +9.38 µm in smokers: Myers et al. 2012,
  doi 10.1016/j.ophtha.2012.06.038;
- arteriolar tortuosity +1.2 % per 10 mmHg: Tapp et al. 2019, doi 10.1161/HYPERTENSIONAHA.119.13752;
- venular tortuosity +2.5 % per 5 kg/m²: Owen et al. 2019, Ophthalmology 126:96 (+2 % per deviation
  in Tapp et al. 2020, doi 10.1002/oby.22885);
- fractal dimension 1.399 ± .038, falling by about .003 in 10 years: 890 persons of an abstract in
  Investigative Ophthalmology & Visual Science 60 (2019), article 2745387;
- choroid 254 ± 107 µm, −4.1 µm a year: Wei et al. 2013, doi 10.1016/j.ophtha.2012.07.048;
- cup/disc ratio .34 ± .12: Kim et al. 2015, doi 10.3341/kjo.2015.29.5.336, whose weak effects of
  age and sex are left out on purpose: a feature on which nothing acts is a control;
- fellow eyes' calibres .70 and .77: Leung et al. 2003, doi 10.1046/j.1442-9071.2003.00661.x (.71
  and .74 in Wong et al. 2004, Ophthalmology 111:1183).
Assumed: mean calibres (163 ± 16 µm, 251 ± 21 µm; cohorts differ by their software), the spread of
tortuosity (a quarter of its mean), the other fellow-eye correlations, systolic pressure's slopes
on age, body mass and sex (set so that its spread is UK Biobank's), and who smokes.
"""

from dataclasses import dataclass, field
from typing import Any

FACTORS = ("age", "systolic", "bmi", "sex", "smoking")  # sex: 1 male; smoking: 1 current smoker

AGE_MEAN, AGE_SD = 56.8, 8.2  # years
MALE = 0.45
BMI_MEAN, BMI_SD = 27.3, 4.7  # kg/m²
SMOKER = (0.09, 0.125)  # share among women, men: 10.5 % together
SYSTOLIC_MEAN = 136.8  # mmHg, over the whole cohort
SYSTOLIC_BY = {"age": 0.75, "bmi": 0.7, "sex": 6.0}  # mmHg per year, kg/m², for men
SYSTOLIC_RESIDUAL = 16.65  # mmHg; with the slopes above the spread is 18.3


@dataclass(frozen=True)
class Feature:
    """One measure of an eye's anatomy.

    mean: over the cohort; sd: of the residual; fellow: correlation of the two eyes' residuals;
    slopes: change per year, mmHg, kg/m², in men, in smokers, at effect scale 1.
    """

    name: str
    unit: str
    mean: float
    sd: float
    fellow: float
    slopes: dict[str, float] = field(default_factory=dict)


TORTUOSITY = 0.022  # arc length over chord length of a vessel's windings, minus 1
FEATURES = (
    Feature(
        "crae_um",
        "µm",
        mean=163,
        sd=15.1,
        fellow=0.70,
        slopes={"age": -0.073, "systolic": -0.274, "smoking": 4.3},
    ),
    Feature("crve_um", "µm", 251, 20.6, 0.77, {"sex": 5.3, "smoking": 9.4}),
    Feature(
        "tortuosity_artery",
        "arc/chord − 1",
        TORTUOSITY,
        0.25 * TORTUOSITY,
        0.6,
        {"systolic": 0.0012 * TORTUOSITY},
    ),
    Feature(
        "tortuosity_vein",
        "arc/chord − 1",
        TORTUOSITY,
        0.25 * TORTUOSITY,
        0.6,
        {"bmi": 0.005 * TORTUOSITY},
    ),
    Feature("fractal_dimension", "", 1.399, 0.038, 0.6, {"age": -0.0003}),
    Feature("cup_disc", "", 0.34, 0.12, 0.8),
    # Thinning of the choroid in units of its spread of 100 µm: 0 at the mean of 254 µm.
    Feature("tessellation", "100 µm of choroid", 0.0, 1.0, 0.8, {"age": 0.041}),
)
NAMES = tuple(feature.name for feature in FEATURES)
CENTRE = {
    "age": AGE_MEAN,
    "systolic": SYSTOLIC_MEAN,
    "bmi": BMI_MEAN,
    "sex": MALE,
    "smoking": SMOKER[0] * (1 - MALE) + SMOKER[1] * MALE,
}


def planted(effect_scale: float) -> dict[str, Any]:
    """JSON-ready slopes of every feature on every factor, 0 where none was planted."""
    return {
        "effect_scale": effect_scale,
        "units": {feature.name: feature.unit for feature in FEATURES},
        "slopes": {
            feature.name: {name: effect_scale * feature.slopes.get(name, 0.0) for name in FACTORS}
            for feature in FEATURES
        },
    }
