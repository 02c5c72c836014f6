"""The files of predictions: label images, probabilities, and the rule between them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from pipelines.core.artifacts import read_json

from ..prepare.arrays import Sample
from .instances import Rule

PROBABILITIES = "probabilities.npy"
RULE = "postprocess.json"
TILE = 512  # edge of the tiles of large label images, px
BIG = 2**29  # pixels above which the file may need 64-bit offsets


def write_labels(path: Path, labels: np.ndarray) -> None:
    """Write (H, W) labels as a compressed 16-bit TIFF, 32-bit above 65,535 objects."""
    write_pages(path, [labels], int(labels.max(initial=0)), {})


def write_pages(path: Path, pages: Sequence[Any], highest: int, tags: dict[str, Any]) -> None:
    """The same for any number of pages, arrays (H, W) or what is read from disk by slices.

    highest: of all labels; tags: tifffile's arguments for further tags, such as the resolution.
    A page larger than a tile is read, compressed and written a tile at a time.
    """
    kind = label_type(highest)
    options = {"compression": "zlib", "photometric": "minisblack", "metadata": None, **tags}
    with tifffile.TiffWriter(path, bigtiff=sum(map(_pixels, pages)) > BIG) as tif:
        for page in pages:
            large = max(page.shape) > TILE
            tif.write(
                _tiles(page, kind) if large else page[:, :].astype(kind),
                shape=tuple(page.shape),
                dtype=kind,
                tile=(TILE, TILE) if large else None,
                software=False,
                contiguous=False,
                **options,
            )


def label_type(highest: int) -> type[np.unsignedinteger]:
    """The smaller of two types that holds the labels."""
    return np.uint16 if highest < 2**16 else np.uint32


def _tiles(page: Any, kind: type[np.unsignedinteger]) -> Iterator[np.ndarray]:
    height, width = page.shape
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            yield page[top : top + TILE, left : left + TILE].astype(kind)


def _pixels(page: Any) -> int:
    return int(page.shape[0]) * int(page.shape[1])


def read_labels(folder: Path, sample: Sample) -> np.ndarray:
    """(H, W) int32 labels that `predict` wrote for a sample."""
    labels = tifffile.imread(folder / f"{sample.split}_{sample.name}.tif")
    return np.asarray(labels, dtype=np.int32)


def read_probabilities(folder: Path, samples: Sequence[Sample]) -> list[np.ndarray]:
    """(K, H, W) float32 for each sample; give all validation and test samples, in order."""
    flat = np.load(folder / PROBABILITIES, mmap_mode="r")
    ends = np.cumsum([s.mask.size for s in samples])
    if ends[-1] != flat.shape[1]:
        raise ValueError(f"{PROBABILITIES}: {flat.shape[1]} pixels, the samples have {ends[-1]}")
    parts = np.split(flat, ends[:-1], axis=1)
    shaped = zip(parts, samples, strict=True)
    return [p.reshape(len(p), *s.mask.shape).astype(np.float32) for p, s in shaped]


def read_rule(folder: Path) -> Rule:
    """The rule that `predict` chose."""
    return Rule(**read_json(folder / RULE)["rule"])
