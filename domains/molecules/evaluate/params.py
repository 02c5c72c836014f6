"""Parameters of the evaluation."""

from pydantic import Field

from pipelines.core.params import Params


class EvaluateParams(Params):
    """What molecules are compared with."""

    baselines: bool = Field(
        description="also score an n-gram writer and a BRICS combiner, as many molecules as the "
        "model has drawn"
    )
    seed: int = Field(ge=0, description="seed of the baselines' draws and of the training sample")
