"""Parameters of `predict`: none."""

from pipelines.core.params import Params


class PredictParams(Params):
    """Nothing can be chosen."""
