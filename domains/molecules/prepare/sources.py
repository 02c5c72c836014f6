"""Where molecules come from: one module for each `source`, all with the same four functions.

load(params) → molecules of the splits; check(params) raises what `load` would, in seconds;
files(params) → SHA-256 of each file that is read; about(params, loaded) → the card's description.
"""

from types import ModuleType

from .params import PrepareParams
from .yardsticks import CHEMNET, FILTERS

YARDSTICKS = (CHEMNET, FILTERS)


def source(params: PrepareParams) -> ModuleType:
    """The module of the chosen source."""
    from . import moses, table

    return {"moses": moses, "csv": table}[params.source]


def files(params: PrepareParams) -> dict[str, str]:
    """SHA-256 of every file that `prepare` reads, by name."""
    found = dict(source(params).files(params))
    for yardstick in YARDSTICKS:
        found.update(yardstick.files)
    return found
