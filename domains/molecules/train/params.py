"""Parameters of the molecules' training."""

from typing import Self

from pydantic import Field, model_validator

from pipelines.core.params import Params

from .goals import Goal


class TrainParams(Params):
    """The generator, and how it is trained."""

    hidden: int = Field(ge=8, description="recurrent units of the generator")
    embedding: int = Field(ge=4, description="size of what the recurrent layers read")
    layers: int = Field(ge=1, le=4, description="recurrent layers")
    batch_size: int = Field(ge=2, description="molecules a step of likelihood")
    epochs: int = Field(ge=1, description="of likelihood, passes over the training molecules")
    learning_rate: float = Field(gt=0, description="of likelihood, peak of the one-cycle schedule")
    weight_decay: float = Field(ge=0, description="of the recurrent matrices")
    seed: int = Field(ge=0, lt=2**63, description="seed of all that is drawn")
    goals: list[Goal] = Field(description="what is aimed at; [] for molecules like those learnt from")
