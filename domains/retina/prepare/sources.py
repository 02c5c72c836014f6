"""Where eyes come from: one module for each `source`, all with the same four functions.

write(params, out) → images and tables, returns an account of what was left out; check(params)
raises what `write` would, as far as it shows without decoding; files(params) → SHA-256 of each file
that is read; about(params, table) → the card's description.
"""

from types import ModuleType

from .params import PrepareParams


def source(params: PrepareParams) -> ModuleType:
    """The module of the chosen source; the others, and what they load, stay out."""
    if params.source == "cohort":
        from . import generated

        return generated
    if params.source == "odir":
        from . import odir

        return odir
    from . import own

    return own
