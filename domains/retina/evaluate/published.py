"""What others have reported, where it may stand beside real photographs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..prepare.arrays import Target

_POPLIN = (
    "Poplin et al. 2018, doi 10.1038/s41551-018-0195-0: other people (12,026 of UK Biobank), "
    "learnt from 284,335 patients; a measure of what data can do, no competitor"
)
POPLIN = {"age_mae": 3.26, "age_r2": 0.74, "sex_auc": 0.97}


def published_rows(
    card: dict[str, Any], targets: Sequence[Target]
) -> list[tuple[str, str, str, float, float, float, float, str]]:
    """Lines of scores.csv, of the targets there are; none for generated or unknown photographs."""
    if card["synthetic"] or "ODIR" not in card["title"]:
        return []
    none = float("nan")
    names = {target.name for target in targets}
    return [
        ("Poplin 2018", metric, "all", value, none, none, none, _POPLIN)
        for metric, value in POPLIN.items()
        if metric.split("_")[0] in names
    ]
