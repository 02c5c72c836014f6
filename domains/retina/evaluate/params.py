"""Parameters of retina's scores."""

from pydantic import Field

from pipelines.core.params import Params


class EvaluateParams(Params):
    """The subgroups and the bootstrap."""

    age_edges: list[float] = Field(
        max_length=6, description="ages at which a new age band begins, years; [] for none"
    )
    smallest_group: int = Field(
        ge=2, description="test patients that a subgroup must have to be scored on its own"
    )
    seed: int = Field(ge=0, description="seed of the bootstrap over patients")
