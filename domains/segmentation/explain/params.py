"""Parameters of segmentation's explanations."""

from pydantic import Field

from pipelines.core.params import Params


class ExplainParams(Params):
    """How much is drawn, and the seed of the control."""

    examples: int = Field(ge=1, le=8, description="test samples in the picture of examples")
    worst: int = Field(ge=1, le=24, description="objects in the picture of the worst errors")
    seed: int = Field(ge=0, description="seed of the randomised weights, the control")
