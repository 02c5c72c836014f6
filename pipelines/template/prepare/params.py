"""Parameters of `prepare`."""

from pydantic import Field

from pipelines.core.params import Params


class PrepareParams(Params):
    """How many spectra are generated, and how noisy they are."""

    train: int = Field(ge=10, description="spectra to learn from")
    validation: int = Field(ge=10, description="spectra to select the epoch on")
    test: int = Field(ge=10, description="spectra to score on")
    noise: float = Field(gt=0, description="standard deviation of the detector's noise, absorbance")
    seed: int = Field(ge=0, description="seed of the generator")
