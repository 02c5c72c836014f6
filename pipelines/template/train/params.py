"""Parameters of `train`."""

from pydantic import Field

from pipelines.core.params import Params


class TrainParams(Params):
    """The network and its optimisation."""

    hidden: int = Field(ge=1, description="units of the hidden layer")
    epochs: int = Field(ge=1, description="largest number of passes over the training data")
    batch_size: int = Field(ge=1, description="spectra a step")
    learning_rate: float = Field(gt=0, description="of Adam, at the start")
    seed: int = Field(ge=0, description="seed of initial weights and of the order of the data")
