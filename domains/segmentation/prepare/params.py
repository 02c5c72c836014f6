"""Parameters of segmentation's data."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipelines.core.params import Params


class PrepareParams(Params):
    """Where images and masks come from, and how they are split."""

    source: Literal["hela", "folder"] = Field(
        description="hela: a movie of HeLa nuclei; folder: images/ and masks/ of your own"
    )
    frames: list[int] = Field(
        min_length=1, description="hela: frames of the movie, 0 to 19, 30 minutes apart"
    )
    border_px: int = Field(
        ge=0,
        le=100,
        description="hela: margin of the field that is ignored, px; nuclei that cross the "
        "outermost 10 px are mostly not annotated",
    )
    gap_px: int = Field(
        ge=58, le=300, description="hela: strip between two splits that is left out, px"
    )
    blocks: int = Field(
        ge=1, le=50, description="hela: stripes of each test region, the bootstrap's units"
    )
    path: str | None = Field(
        description="folder: where images/ and masks/ are, from the project's root; else null"
    )
    labels: Literal["binary", "classes", "instances"] = Field(
        description="folder: what masks hold: 0 and one other value, classes, or objects"
    )
    classes: int = Field(
        ge=2, le=255, description="folder, labels classes: number of classes with background 0"
    )
    pixel_size_um: float | None = Field(
        gt=0, description="folder: edge of a pixel, micrometres; null where unknown"
    )
    shares: list[float] = Field(
        min_length=3,
        max_length=3,
        description="relative size of train, validation and test",
    )
    low_percentile: float = Field(
        ge=0, lt=50, description="percentile of an image's intensities that becomes 0"
    )
    high_percentile: float = Field(
        gt=50, le=100, description="percentile of an image's intensities that becomes 1"
    )
    compression: float = Field(
        ge=0, le=1e4, description="k of x -> arsinh(k x)/arsinh(k), lifts dim objects; 0: linear"
    )
    seed: int = Field(ge=0, description="folder: seed of the split by group")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if min(self.shares) <= 0:
            raise ValueError(f"shares: found {self.shares}; each must be above 0")
        if self.source == "folder" and not self.path:
            raise ValueError("path: found null; source folder needs the folder's path")
        wrong = [f for f in self.frames if not 0 <= f <= 19]
        if wrong or len(set(self.frames)) != len(self.frames):
            raise ValueError(f"frames: found {self.frames}; give different numbers, 0 to 19")
        return self
