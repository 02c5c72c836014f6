"""`scistage check`: is the source there and whole, before anything runs?"""

from .params import PrepareParams


def check(params: PrepareParams) -> dict[str, str]:
    """SHA-256 of the files that `prepare` would read, by name.

    Raises UserError for whatever `prepare` would refuse.
    """
    if params.source == "hela":
        from . import hela

        hela.load(params)
        return dict(hela.HELA.files)
    from . import folder

    folder.load(params)
    return folder.files(params)
