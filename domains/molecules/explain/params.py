"""Parameters of the molecules' explanations."""

from pydantic import Field

from pipelines.core.params import Params


class ExplainParams(Params):
    """How many molecules are looked at, and the seed of what is chosen by chance."""

    molecules: int = Field(
        ge=20, le=100_000, description="molecules of each set that are compared; all if fewer"
    )
    mapped: int = Field(ge=20, le=5000, description="molecules of each set in the map")
    pairs: int = Field(ge=2, le=1000, description="validation pairs that are interpolated")
    judged: int = Field(
        ge=2, le=1000, description="written molecules whose tokens are weighed for the critic"
    )
    seed: int = Field(ge=0, lt=2**63, description="seed of all choices and of the control")
