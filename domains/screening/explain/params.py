"""Parameters of screening's explanations."""

from pydantic import Field

from pipelines.core.params import Params


class ExplainParams(Params):
    """How much is looked at, and the seed of the control."""

    molecules: int = Field(
        ge=4, le=5000, description="molecules at most whose atoms are hidden, or that are changed"
    )
    seed: int = Field(ge=0, lt=2**63, description="seed of what is chosen by chance")
