"""Where data come from: one module for each `source`, all with the same four functions.

load(params) → samples; form(params, samples) → their format; files(params) → SHA-256 of each file
that is read; about(params, samples, form) → the card's description.
"""

from types import ModuleType

from . import bacteria, folder, hela, isbi2012
from .params import PrepareParams


def source(params: PrepareParams) -> ModuleType:
    """The module of the chosen source."""
    modules = {"hela": hela, "isbi2012": isbi2012, "bacteria": bacteria, "folder": folder}
    return modules[params.source]
