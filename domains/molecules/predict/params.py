"""Parameters of the molecules that the model writes."""

from pydantic import Field

from pipelines.core.params import Params


class PredictParams(Params):
    """How many molecules are written, and which are kept."""

    molecules: int = Field(
        ge=1, le=1_000_000, description="molecules to draw; with rejection also to accept"
    )
    temperature: float = Field(
        ge=0.01, le=10, description="1: as learnt; below: likelier molecules, less diverse ones"
    )
    rejection: bool = Field(
        description="whether to draw also by rejection: those that the critic takes for real"
    )
    seed: int = Field(ge=0, lt=2**63, description="seed of all that is drawn")
