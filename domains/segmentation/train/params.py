"""Parameters of segmentation's training."""

from pydantic import Field

from pipelines.core.params import Params


class TrainParams(Params):
    """The network, its loss, its augmentation and its optimiser."""

    base: int = Field(ge=1, le=256, description="channels of the first level; 64 in the paper")
    depth: int = Field(ge=1, le=6, description="number of poolings; 4 in the paper")
    dropout: float = Field(ge=0, lt=1, description="dropout probability in the deepest level")
    batch_norm: bool = Field(description="batch normalisation; the paper has none")

    border_px: float = Field(
        ge=1, le=20, description="width of the inner border class of an instance, px"
    )
    w0: float = Field(
        ge=0, le=100, description="height of the border weight between instances; paper: 10"
    )
    sigma_px: float = Field(gt=0, le=50, description="width of the border weight, px; paper: 5")
    class_balance: float = Field(
        ge=0, le=1, description="classes weigh frequency^-this; 0 no balance, 1 full balance"
    )

    window_px: int = Field(ge=16, le=2048, description="edge of the square training windows, px")
    rotate_deg: float = Field(ge=0, le=180, description="largest random rotation, degrees")
    scale: float = Field(ge=1, le=2, description="largest random magnification or reduction")
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
