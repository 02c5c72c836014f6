"""Parameters of the evaluation."""

from pydantic import Field

from pipelines.core.params import Params


class EvaluateParams(Params):
    """What molecules are compared with."""

    seed: int = Field(ge=0, description="seed of the baselines' draws and of the training sample")
