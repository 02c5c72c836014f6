"""Parameters of retina's predictions."""

from pydantic import Field

from pipelines.core.params import Params


class PredictParams(Params):
    """What intervals promise, and of whom nothing is said."""

    coverage: float = Field(
        ge=0.5,
        le=0.99,
        description="share of true values that the intervals are to contain, of the low, the "
        "middle and the high third as evenly as this share of all allows",
    )
    abstain: float = Field(
        ge=0,
        le=0.5,
        description="share of the usable validation eyes, the least certain, that sets the limit "
        "beyond which nothing is said; 0: an eye's quality alone decides",
    )
