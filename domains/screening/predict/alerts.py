"""Substructures that interfere with many assays: PAINS (Baell & Holloway 2010)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from rdkit.Chem.FilterCatalog import FilterCatalog, FilterCatalogParams

from pipelines.core.parallel import in_parallel

from ..prepare.featurise import parsed


def alerts(smiles: Sequence[str]) -> list[str]:
    """Of each molecule the names of those that it has, as RDKit calls them, joined by ;"""
    return list(in_parallel(_alerts, smiles))


def _alerts(smiles: Sequence[str]) -> list[str]:
    return [
        ";".join(entry.GetDescription() for entry in _pains().GetMatches(mol))
        for mol in parsed(smiles)
    ]


@cache
def _pains() -> FilterCatalog:
    return FilterCatalog(FilterCatalogParams(FilterCatalogParams.FilterCatalogs.PAINS))
