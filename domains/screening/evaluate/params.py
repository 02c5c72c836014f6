"""Parameters of screening's scores."""

from typing import Annotated

from pydantic import Field

from pipelines.core.params import Params


class EvaluateParams(Params):
    """The baselines, the subgroups and the bootstrap."""

    trees: int = Field(ge=10, le=5000, description="trees of the random forest")
    similarity_edges: list[Annotated[float, Field(ge=0, le=1)]] = Field(
        max_length=6,
        description="Tanimoto similarities to the nearest training molecule at which a new band "
        "begins, 0 to 1; [] for none",
    )
    smallest_group: int = Field(
        ge=2, description="test molecules that a subgroup must have to be scored on its own"
    )
    seed: int = Field(ge=0, lt=2**32, description="seed of the forest and of the bootstrap")
