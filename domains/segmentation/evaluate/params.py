"""Parameters of segmentation's scores."""

from pydantic import Field

from pipelines.core.params import Params


class EvaluateParams(Params):
    """The baselines and the bootstrap."""

    trees: int = Field(ge=1, le=1000, description="random forest: number of trees")
    pixels: int = Field(ge=100, description="random forest: training pixels")
    border_px: float = Field(
        ge=0, le=20, description="random forest: width of the inner border class, px; 0: none"
    )
    seed: int = Field(ge=0, lt=2**32, description="seed of the bootstrap and of the random forest")
