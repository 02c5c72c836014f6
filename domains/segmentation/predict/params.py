"""Parameters of segmentation's predictions."""

from typing import Literal

from pydantic import Field

from pipelines.core.params import Params


class PredictParams(Params):
    """How images of any size go through the network."""

    tile_px: int = Field(ge=64, le=8192, multiple_of=64, description="largest edge of a tile, px")
    margin_px: int = Field(
        ge=0, le=1024, multiple_of=64, description="overlap of a tile with each neighbour, px"
    )
    views: Literal[1, 4, 8] = Field(
        description="symmetries averaged: 1 none, 4 quarter turns, 8 also mirrored"
    )
    objective: Literal["f1", "rand"] = Field(
        description="instances: validation chooses the rule by the mean F1 of objects, or by the "
        "Rand error, the measure for cells between membranes"
    )
