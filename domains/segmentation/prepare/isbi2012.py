"""ISBI-2012: membranes of the fly's nerve cord in serial-section electron microscopy."""

from typing import Any

import numpy as np
from skimage.measure import label

from pipelines.data.sources import Url, fetch, source_card

from .arrays import Format, Sample
from .isbi2012_files import FILES, SIZES
from .params import PrepareParams
from .reading import read_image
from .stack import left_out, split_stack

SLICES = 24
PIXEL_SIZE_UM = 0.004

ISBI2012 = Url(
    name="isbi2012",
    base=(
        "https://raw.githubusercontent.com/zhixuhao/unet/"
        "b45af4d458437d8281cc218a07fd4380818ece4a/data/membrane/train/"
    ),
    files=FILES,
    sizes=SIZES,
    title="ISBI-2012 EM segmentation challenge, the first 24 of its 30 training slices",
    licence="challenge terms: for research, to be cited",
    citation=(
        "Arganda-Carreras et al. 2015, Frontiers in Neuroanatomy 9:142, "
        "doi 10.3389/fnana.2015.00142; Cardona et al. 2010, PLoS Biology 8:e1000502, "
        "doi 10.1371/journal.pbio.1000502"
    ),
    url="https://imagej.net/events/isbi-2012-segmentation-challenge",
)


def load(params: PrepareParams) -> list[Sample]:
    """The slices (512, 512, 1) uint8 with the cells between the membranes as instances.

    The labels say membrane or not; cells are the 4-connected regions that are not, so that a
    membrane one pixel wide that runs aslant still parts two of them.
    """
    paths = fetch(ISBI2012)
    images = [read_image(paths[f"image/{k}.png"]) for k in range(SLICES)]
    inside = [read_image(paths[f"label/{k}.png"])[..., 0] > 127 for k in range(SLICES)]
    cells = [label(mask, connectivity=1).astype(np.int32) for mask in inside]
    return split_stack(params, "slice", images, cells)


def form(params: PrepareParams, samples: list[Sample]) -> Format:
    """Grey images with instance masks, 4 nm a pixel."""
    return Format.of(params, "instances", 2, channels=1, pixel_size_um=PIXEL_SIZE_UM)


def files(params: PrepareParams) -> dict[str, str]:
    """SHA-256 of every file that `load` reads."""
    return dict(FILES)


def about(params: PrepareParams, samples: list[Sample], form: Format) -> dict[str, Any]:
    """The card's description of the data."""
    return {
        "title": "ISBI-2012 EM membranes",
        "description": (
            "Serial-section transmission electron microscopy of the ventral nerve cord of a first "
            "instar Drosophila larva: 24 consecutive slices of 512 × 512 px, 4 × 4 nm a pixel, "
            "50 nm thick, with the cells between the membranes as instances."
        ),
        "synthetic": False,
        "source": source_card(ISBI2012),
        "excluded": [left_out(params, "slices")],
        "notes": [
            "The challenge's own test labels are hidden. The test slices here are the last of its "
            "training slices, from the same stack as those learnt from: a score is not one of the "
            "challenge, and says nothing about another animal or microscope.",
            "The labels were drawn by hand; a second expert's Rand error against such labels was "
            "0.0021 by the challenge's own account.",
        ],
        "intervals": "n counts slices, which the bootstrap draws. Neighbouring slices show the "
        "same cells, so they are not quite independent and the intervals a little too narrow.",
    }
