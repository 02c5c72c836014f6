"""Parameters of segmentation's data."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipelines.core.params import Params


class PrepareParams(Params):
    """Where images and masks come from, and how they are split."""

    source: Literal["hela", "isbi2012", "bacteria", "folder"] = Field(
        description="hela: nuclei; isbi2012: membranes in electron microscopy; bacteria: a colony "
        "in phase contrast; folder: images/ and masks/ of your own"
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
    gap_slices: int = Field(
        ge=1, le=8, description="isbi2012, bacteria: slices left out between two splits"
    )
    blocks: int = Field(
        ge=1,
        le=50,
        description="hela: stripes of each test region in all frames, units of the bootstrap",
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
    slice_axis: int = Field(
        ge=0, le=2, description="folder: axis of a NIfTI volume that counts the slices"
    )
    pixel_size_um: float | Literal["from_files"] | None = Field(
        description="folder: edge of a pixel, micrometres; from_files: as the files state; null: "
        "unknown"
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
    intensity_range: list[float] | None = Field(
        description="two values of the images' own units that become 0 and 1, such as [-160, 240] "
        "Hounsfield; null: the percentiles of each image"
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
        if isinstance(self.pixel_size_um, float) and self.pixel_size_um <= 0:
            raise ValueError(f"pixel_size_um: found {self.pixel_size_um}; it must be above 0")
        ends = self.intensity_range
        if ends is not None and (len(ends) != 2 or ends[0] >= ends[1]):
            raise ValueError(f"intensity_range: found {ends}; give two values, the lower first")
        wrong = [f for f in self.frames if not 0 <= f <= 19]
        if wrong or len(set(self.frames)) != len(self.frames):
            raise ValueError(f"frames: found {self.frames}; give different numbers, 0 to 19")
        return self
