"""`scistage check`: is the source there and whole, before anything runs?"""

from .params import PrepareParams


def check(params: PrepareParams) -> dict[str, str]:
    """SHA-256 of the files that `prepare` would read, by name.

    Raises UserError for what parameters, table and files show from outside. What shows only when
    every photograph is decoded `prepare` finds: a damaged file, the same picture of two patients,
    too few usable photographs in a split.
    """
    from .sources import source

    source(params).check(params)
    found = dict(source(params).files(params))
    if params.pretrained:
        from pipelines.data.sources import fetch

        from .weights import LITE0

        fetch(LITE0)
        found.update(LITE0.files)
    return found
