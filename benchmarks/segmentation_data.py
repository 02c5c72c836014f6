"""The HeLa images that the prepare stage has written, and the Dice of the foreground."""

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import numpy as np

from domains.segmentation.prepare.arrays import Format, Sample, read_samples
from pipelines.core.artifacts import read_json

PREPARED = Path("outputs/segmentation/prepare")


def stored_format() -> Format:
    """The format of the images; what an earlier version did not write is None."""
    missing = dict.fromkeys(field.name for field in fields(Format))
    return Format(**{**missing, **read_json(_prepared() / "format.json")})


def samples(*splits: str) -> list[Sample]:
    """Images with masks of these splits."""
    return read_samples(_prepared(), *splits)


def dice(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> float:
    """2 |A ∩ B| / (|A| + |B|) over all images together.

    Each pair is the predicted class, 0 background, and the mask, −1 where nobody annotated.
    """
    both = total = 0
    for said, mask in pairs:
        known = mask >= 0
        ours, theirs = (said > 0) & known, mask > 0
        both += int((ours & theirs).sum())
        total += int(ours.sum()) + int(theirs.sum())
    return 2 * both / max(total, 1)


def _prepared() -> Path:
    if not PREPARED.exists():
        raise SystemExit(f"{PREPARED}: not found; run scistage repro segmentation first")
    return PREPARED
