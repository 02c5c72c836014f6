"""The data card: what the data are, whence, how they are split, and what was left out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.data.sources import source_card

from . import folder, hela
from .arrays import SPLITS, Format, Sample
from .params import PrepareParams


def card(params: PrepareParams, samples: Sequence[Sample], form: Format) -> dict[str, Any]:
    """JSON-ready card, as the contract asks for."""
    about = _hela(params) if params.source == "hela" else _folder(params, samples, form)
    splits = {split: _counts([s for s in samples if s.split == split], form) for split in SPLITS}
    return {**about, "splits": splits}


def _hela(params: PrepareParams) -> dict[str, Any]:
    frames = ", ".join(map(str, sorted(params.frames)))
    unused = 20 - len(params.frames)
    return {
        "title": "HeLa nuclei",
        "description": (
            f"Fluorescent nuclei (H2B-GFP) of HeLa cells: frames {frames} of one movie, 700 × 1100 "
            "px of 0.645 µm, each cut by place into train, validation and test."
        ),
        "synthetic": False,
        "source": source_card(hela.HELA),
        "excluded": [
            {"what": "frames", "why": "hardly differ from the chosen ones", "count": unused},
            {
                "what": "margin of the field, px",
                "why": "nuclei that reach the field's edge are not annotated",
                "count": params.border_px,
            },
            {
                "what": "width of each strip between splits, px",
                "why": "no nucleus may lie in two splits",
                "count": params.gap_px,
            },
        ],
        "notes": hela.notes(params),
    }


def _folder(params: PrepareParams, samples: Sequence[Sample], form: Format) -> dict[str, Any]:
    kinds = {"binary": "foreground", "instances": "instances"}
    kind = kinds.get(form.labels, f"{form.classes} classes")
    colour = "RGB" if form.channels == 3 else "grey"
    return {
        "title": Path(params.path or "").name,
        "description": (
            f"{len(samples)} {colour} images of your own with masks of {kind}, split by group."
        ),
        "synthetic": False,
        "source": {
            "name": f"folder {params.path}",
            "licence": "as stated by its owner",
            "citation": "none",
            "files": folder.files(params),
        },
        "excluded": [],
        "notes": [
            f"{len({s.group for s in samples})} groups; a group is in one split only.",
        ],
    }


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
