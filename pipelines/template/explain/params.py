"""Parameters of `explain`."""

from pydantic import Field

from pipelines.core.params import Params


class ExplainParams(Params):
    """The control."""

    seed: int = Field(ge=0, description="seed of the randomised weights")
