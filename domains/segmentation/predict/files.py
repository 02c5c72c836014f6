"""The files of predictions: label images, probabilities, and the rule between them."""

from collections.abc import Iterable, Iterator, Sequence
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


def write_probabilities(
    folder: Path, maps: Iterable[np.ndarray], samples: Sequence[Sample]
) -> None:
    """Write (K, H, W) probabilities of these samples, one at a time: (K, P) float16 on disk."""
    flat, start = None, 0
    for probability in maps:
        kinds, pixels = len(probability), probability[0].size
        if flat is None:
            shape = (kinds, sum(s.mask.size for s in samples))
            path = folder / PROBABILITIES
            flat = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)
        flat[:, start : start + pixels] = probability.reshape(kinds, -1)
        start += pixels


def read_probabilities(
    folder: Path, samples: Sequence[Sample], *splits: str
) -> Iterator[np.ndarray]:
    """Yield (K, H, W) float32 for each sample of these splits (all if none is named).

    samples: all of validation and test, in order. Raises ValueError if they are not.
    """
    flat = np.load(folder / PROBABILITIES, mmap_mode="r")
    ends = np.cumsum([s.mask.size for s in samples])
    if ends[-1] != flat.shape[1]:
        raise ValueError(f"{PROBABILITIES}: {flat.shape[1]} pixels, the samples have {ends[-1]}")
    for part, sample in zip(np.split(flat, ends[:-1], axis=1), samples, strict=True):
        if not splits or sample.split in splits:
            yield part.reshape(len(part), *sample.mask.shape).astype(np.float32)


def read_rule(folder: Path) -> Rule:
    """The rule that `predict` chose."""
    return Rule(**read_json(folder / RULE)["rule"])
