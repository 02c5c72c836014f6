"""Parameters of `evaluate`."""

from pydantic import Field

from pipelines.core.params import Params


class EvaluateParams(Params):
    """How scores are estimated."""

    seed: int = Field(ge=0, description="seed of the bootstrap")
