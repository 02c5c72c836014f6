"""`scistage check`: is the source there and whole, before anything runs?"""

from .params import PrepareParams


def check(params: PrepareParams) -> dict[str, str]:
    """SHA-256 of the files that `prepare` would read, by name.

    Raises UserError for whatever `prepare` would refuse.
    """
    from .sources import source

    source(params).load(params)
    return source(params).files(params)
