"""The data card: what the data are, whence, how they are split, and what was left out."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .arrays import SPLITS, Format, Sample
from .params import PrepareParams
from .sources import source


def card(params: PrepareParams, samples: Sequence[Sample], form: Format) -> dict[str, Any]:
    """JSON-ready card, as the contract asks for."""
    splits = {split: _counts([s for s in samples if s.split == split], form) for split in SPLITS}
    return {**source(params).about(params, samples, form), "splits": splits}


def _counts(samples: Sequence[Sample], form: Format) -> dict[str, Any]:
    annotated = sum(int((s.mask >= 0).sum()) for s in samples)
    objects = sum(int((s.mask > 0).sum()) for s in samples)
    counts: dict[str, Any] = {
        "images": len(samples),
        "groups": len({s.group for s in samples}),
        "annotated_pixels": annotated,
        "foreground_share": objects / max(annotated, 1),
    }
    if form.labels == "instances":
        counts["instances"] = sum(int(np.maximum(s.mask.max(initial=0), 0)) for s in samples)
    return counts
