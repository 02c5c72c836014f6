"""`scistage check`: is the source there and whole, before anything runs?"""

from .params import PrepareParams


def check(params: PrepareParams) -> dict[str, str]:
    """SHA-256 of the files that `prepare` would read, by name.

    Raises UserError for whatever `prepare` would refuse.
    """
    from pipelines.data.sources import fetch

    from .sources import YARDSTICKS, files, source

    source(params).check(params)
    for yardstick in YARDSTICKS:
        fetch(yardstick)
    return files(params)
