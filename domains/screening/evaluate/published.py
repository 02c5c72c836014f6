"""What others have reported on the same data or on data of the same kind, and their split."""

from __future__ import annotations

from typing import Any

_UNKNOWN = float("nan")
_TIWARI = (
    "Tiwari et al. 2026, Predicting blood-brain barrier permeability from experimental data, "
    "gradient boosting on 40 Mordred descriptors; a fifth of B3DB too, but no split by scaffolds "
    "is reported"
)
_YANG = "Yang et al. 2019, doi 10.1021/acs.jcim.9b00237, D-MPNN tuned, "
_STOKES = "Stokes et al. 2020, doi 10.1016/j.cell.2020.01.021, ensemble of 20 with RDKit features; "

# By the title on prepare's card: row, metric, value, molecules, source.
_KNOWN: dict[str, list[tuple[str, str, float, float, str]]] = {
    "Blood-brain barrier": [
        ("Tiwari 2026", "roc_auc", 0.9476, 1562, _TIWARI),
        ("Yang 2019", "roc_auc", 0.737, _UNKNOWN, _YANG + "scaffold split, of 2,039 others: BBBP"),
    ],
    "Brain-to-blood ratio": [
        ("Tiwari 2026", metric, value, 212, _TIWARI)
        for metric, value in (("rmse", 0.474), ("mae", 0.3326), ("r2", 0.6043))
    ],
    "Hydration free energy": [("Yang 2019", "rmse", 1.075, _UNKNOWN, _YANG + "random split")],
    "Growth inhibition of E. coli": [
        ("Stokes 2020", "roc_auc", 0.896, _UNKNOWN, _STOKES + "a test split of their own")
    ],
}


def published_rows(title: str) -> list[tuple[Any, ...]]:
    """Lines of scores.csv for the data with this title; none for data nobody has reported on."""
    return [
        (row, metric, "all", value, _UNKNOWN, _UNKNOWN, n, text)
        for row, metric, value, n, text in _KNOWN.get(title, [])
    ]
