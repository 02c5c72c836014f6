"""Parameters of segmentation's training."""

from typing import Literal, Self

from pydantic import Field, model_validator

from pipelines.core.params import Params

from .sizes import fits


class TrainParams(Params):
    """The network, its loss, its augmentation and its optimiser."""

    base: int = Field(ge=1, le=256, description="channels of the first level; 64 in the paper")
    depth: int = Field(ge=1, le=6, description="number of poolings; 4 in the paper")
    dropout: float = Field(ge=0, lt=1, description="dropout probability in the deepest level")
    batch_norm: bool = Field(description="batch normalisation; the paper has none")
    padding: Literal["same", "valid"] = Field(
        description="same: as many pixels out as in; valid: the paper's, a margin is lost"
    )

    loss: Literal["cross_entropy", "dice_cross_entropy"] = Field(
        description="weighted cross entropy, as in the paper, or that plus the soft Dice loss"
    )

    border_px: float = Field(
        ge=0, le=20, description="width of the inner border class of an instance, px; 0: none"
    )
    w0: float = Field(
        ge=0, le=100, description="height of the border weight between instances; paper: 10"
    )
    sigma_px: float = Field(gt=0, le=50, description="width of the border weight, px; paper: 5")
    class_balance: float = Field(
        ge=0, le=1, description="classes weigh frequency^-this; 0 no balance, 1 full balance"
    )

    window_px: int = Field(ge=16, le=2048, description="edge of the square training windows, px")
    on_objects: float = Field(
        ge=0, le=1, description="share of the windows that are centred on an object, if it is rare"
    )
    rotate_deg: float = Field(ge=0, le=180, description="largest random rotation, degrees")
    scale: float = Field(ge=1, le=2, description="largest random magnification or reduction")
    shear_deg: float = Field(ge=0, le=45, description="largest random shear, degrees")
    elastic_px: float = Field(
        ge=0, le=100, description="deviation of the displacements on a 3x3 grid, px; paper: 10"
    )
    intensity: float = Field(
        ge=0, le=1, description="strength of random brightness, contrast and gamma"
    )
    noise: float = Field(
        ge=0, le=0.5, description="largest random noise, deviation relative to the intensity range"
    )

    epochs: int = Field(ge=1, description="number of epochs")
    windows: int = Field(ge=1, description="random windows an epoch")
    batch_size: int = Field(ge=1, description="windows a step")
    learning_rate: float = Field(gt=0, le=1, description="peak of the one-cycle schedule")
    weight_decay: float = Field(ge=0, le=1, description="decoupled weight decay (AdamW)")
    gradient_clip: float = Field(gt=0, description="largest norm of the gradient")
    seed: int = Field(ge=0, description="seed of the weights, windows and augmentation")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        size = fits(self.window_px, self.depth, self.padding)
        if size != self.window_px:
            raise ValueError(f"window_px: found {self.window_px}; valid padding needs {size}")
        return self
