"""Parameters of retina's explanations."""

from pydantic import Field

from pipelines.core.params import Params


class ExplainParams(Params):
    """How much is looked at, and the seed of the control."""

    eyes: int = Field(ge=2, description="test photographs whose attention is measured")
    persons: int = Field(
        ge=2, description="cohort: test persons who are drawn again with another pressure"
    )
    change_mmhg: float = Field(
        gt=0, le=60, description="cohort: largest change of the systolic pressure, mmHg"
    )
    resamples: int = Field(ge=20, description="bootstrap resamples of the recovered slopes")
    seed: int = Field(ge=0, description="seed of the randomised weights, the control")
