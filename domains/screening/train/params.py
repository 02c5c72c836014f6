"""Parameters of screening's training."""

from typing import Literal

from pydantic import Field

from pipelines.core.params import Params


class TrainParams(Params):
    """The network, how many of it are averaged, and how they learn."""

    hidden: int = Field(ge=4, le=4096, description="size of the states of bonds and atoms")
    depth: int = Field(
        ge=1, le=12, description="rounds of messages: a bond knows of what is depth − 1 bonds away"
    )
    layers: int = Field(ge=0, le=8, description="hidden layers from molecule to targets")
    dropout: float = Field(ge=0, lt=1, description="dropout probability after each activation")
    aggregation: Literal["mean", "sum", "norm"] = Field(
        description="how atoms make a molecule; norm: their sum by 100"
    )
    join: Literal["none", "descriptors", "fingerprints"] = Field(
        description="what the readout sees beside the graph: nothing, RDKit's descriptors, or "
        "Morgan counts"
    )
    balance: float = Field(
        ge=0,
        le=1,
        description="weight of a class: 0, all molecules alike; 1, both classes alike however "
        "rare one is",
    )
    members: int = Field(ge=1, le=100, description="networks in the ensemble")
    epochs: int = Field(ge=1, description="number of epochs of each")
    batch_size: int = Field(ge=2, description="molecules a step")
    learning_rate: float = Field(gt=0, le=1, description="peak of the one-cycle schedule")
    weight_decay: float = Field(ge=0, le=10, description="decoupled weight decay (AdamW)")
    gradient_clip: float = Field(gt=0, description="largest norm of the gradient")
    seed: int = Field(ge=0, description="seed of the weights, the order and the dropout")
