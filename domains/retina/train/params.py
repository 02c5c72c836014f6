"""Parameters of retina's training."""

import re
from typing import Literal, Self

from pydantic import Field, model_validator

from pipelines.core.params import Params

BLOCKS = {"small": 5, "efficientnet_lite0": 16}  # of each backbone, between stem and heads


class Pretext(Params):
    """Learning from eyes without labels, before the labels are looked at."""

    kind: Literal["rotation"] = Field(
        description="rotation: by how many quarter turns was the photograph turned? (Gidaris 2018)"
    )
    epochs: int = Field(ge=0, description="number of epochs; 0: off")
    learning_rate: float = Field(gt=0, le=1, description="peak of its one-cycle schedule")


class TargetWeight(Params):
    """How much a target counts."""

    target: str = Field(description="its name")
    weight: float = Field(ge=0, le=100, description="factor of its loss")


class TrainParams(Params):
    """The network, what is kept of an earlier training, its augmentation and its optimiser."""

    backbone: Literal["small", "efficientnet_lite0"] = Field(
        description="small: a residual network; efficientnet_lite0: starts from ImageNet, where "
        "prepare has fetched the weights"
    )
    width: int = Field(ge=4, le=128, description="small: channels of the first level")
    look: Literal["local_contrast", "colour"] = Field(
        description="what the network sees: each pixel relative to the mean around it, which no "
        "camera, pigment or lamp changes; or colours, on the scale of ImageNet"
    )
    maps: int = Field(ge=1, le=16, description="learnt attention maps of each target")
    dropout: float = Field(ge=0, lt=1, description="dropout probability before the heads")
    auxiliary: float = Field(
        ge=0, le=10, description="weight of the heads that learn a cohort's anatomy; 0: none"
    )

    members: int = Field(
        ge=1, le=20, description="networks that are trained, from seeds in a row, and averaged"
    )
    freeze: str = Field(
        description="what is kept as it was before: all of the backbone, none of it, or "
        "`until N`, its stem and the blocks before block N, counted from 0"
    )
    pretext: Pretext = Field(description="learning from eyes without labels, first")
    backbone_rate: float = Field(
        gt=0,
        le=1,
        description="learning rate of the stem relative to that of the heads; between them it "
        "rises geometrically",
    )

    mirror: bool = Field(
        description="show eyes as they are or mirrored, at random, and average both to predict: "
        "left and right eyes are read alike, also where the side is not known"
    )
    upside_down: bool = Field(description="show eyes also upside down")
    shift_px: int = Field(ge=0, le=64, description="largest random shift along each axis, px")
    turn: float = Field(
        ge=0, le=180, description="largest random rotation, degrees; with zoom: pixels are blended"
    )
    zoom: float = Field(
        ge=0,
        lt=1,
        description="largest relative change of scale; hides calibres: 0 where they are the signal",
    )
    colour: float = Field(
        ge=0, lt=1, description="largest relative change of each colour's intensity"
    )
    defocus_px: float = Field(
        ge=0, le=10, description="largest deviation of the Gaussian blur of every second eye, px"
    )
    noise: float = Field(
        ge=0,
        le=4,
        description="largest deviation of the Gaussian noise on what the network sees while it "
        "learns the targets, each eye with its own; local_contrast: 0.4 is a tenth of the local "
        "mean, colour: 1 is ImageNet's deviation",
    )

    beta: float = Field(
        ge=0,
        le=1,
        description="of the loss of values: 0 is a Gaussian's likelihood, 1 learns the means as "
        "least squares would, so that no eye is given up as uncertain (Seitzer 2022)",
    )
    weights: list[TargetWeight] = Field(
        description="targets that count more or less than the others, whose weight is 1"
    )
    epochs: int = Field(ge=1, description="number of epochs")
    batch_size: int = Field(ge=2, description="eyes a step")
    learning_rate: float = Field(gt=0, le=1, description="peak of the one-cycle schedule")
    weight_decay: float = Field(ge=0, le=10, description="decoupled weight decay (AdamW)")
    gradient_clip: float = Field(gt=0, description="largest norm of the gradient")
    seed: int = Field(ge=0, description="seed of the weights, the order and the augmentation")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        found = re.fullmatch(r"all|none|until (\d+)", self.freeze)
        blocks = BLOCKS[self.backbone]
        if not found or not 0 <= int(found[1] or 0) < blocks:
            raise ValueError(
                f"freeze: found {self.freeze!r}; give all, none or until N with N from 0 to "
                f"{blocks - 1}, a block of {self.backbone}"
            )
        if self.backbone == "small" and self.freeze != "none" and not self.pretext.epochs:
            raise ValueError(
                f"freeze: found {self.freeze!r}, but there is nothing learnt to keep: set "
                "pretext.epochs, or freeze to none"
            )
        return self
