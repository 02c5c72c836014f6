"""Parameters of screening's predictions."""

from typing import Literal

from pydantic import Field

from pipelines.core.params import Params


class PredictParams(Params):
    """How scores are calibrated, how wide intervals are, and what counts as unlike the known."""

    calibration: Literal["platt", "isotonic"] = Field(
        description="of classes, on the validation molecules. platt: a logistic curve; isotonic: "
        "any rising curve, which needs many hundred of them"
    )
    coverage: float = Field(
        ge=0.5,
        le=0.99,
        description="nominal share of true values inside their intervals; for classes, of the "
        "ensemble's own range that is shown",
    )
    outside: float = Field(
        ge=0,
        le=0.5,
        description="share of the validation molecules, the least similar to any training "
        "molecule, that lie outside the domain of applicability",
    )
    dissimilar: float = Field(
        gt=0,
        le=1,
        description="Tanimoto similarity (Morgan, radius 2) to every known active below which a "
        "molecule of the library is ranked as dissimilar",
    )
