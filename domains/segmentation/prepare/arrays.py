"""Images and masks of different sizes in two flat arrays: the domain's common representation.

A folder of thousands of small files is slow to hash and to copy; two arrays and a table are not.
Pixels of all samples follow one another; `samples.csv` holds where each sample starts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from skimage.segmentation import relabel_sequential

from pipelines.core.artifacts import read_array, read_csv, read_json, write_csv, write_json

from .params import PrepareParams

IGNORED = -1
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Sample:
    """One image with its mask.

    image: (H, W, C) of the source's own type; mask: (H, W) int32, -1 where nobody annotated,
    0 background, else the number of the instance or class. `group` names what must not be split
    (a patient, a frame's region); `blocks` is the number of stripes along the longer side that
    serve as units of the bootstrap (1: the group itself is the unit).
    """

    name: str
    group: str
    split: str
    image: np.ndarray
    mask: np.ndarray
    blocks: int = 1


@dataclass(frozen=True)
class Format:
    """What a later stage must know about the arrays.

    pixel_size_um: edge of a pixel, None where unknown. low, high: percentiles of an image that
    become 0 and 1, unless `intensity_range` names the two values; compression: see `normalise`.
    slice_axis: the axis of a NIfTI volume that counts its slices.
    """

    labels: Literal["binary", "classes", "instances"]
    classes: int
    channels: int
    pixel_size_um: float | None
    low: float
    high: float
    intensity_range: list[float] | None
    compression: float
    slice_axis: int

    @classmethod
    def of(
        cls,
        params: PrepareParams,
        labels: Literal["binary", "classes", "instances"],
        classes: int,
        channels: int,
        pixel_size_um: float | None,
    ) -> "Format":
        """A source's format, with the parameters' scale of intensities."""
        return cls(
            labels=labels,
            classes=classes,
            channels=channels,
            pixel_size_um=pixel_size_um,
            low=params.low_percentile,
            high=params.high_percentile,
            intensity_range=params.intensity_range,
            compression=params.compression,
            slice_axis=params.slice_axis,
        )

    @property
    def outputs(self) -> int:
        """Classes a network separates: instances are background, interior and inner border."""
        return 3 if self.labels == "instances" else self.classes


def write_samples(out: Path, samples: Sequence[Sample], form: Format) -> None:
    """Write images.npy (P, C), masks.npy (P,), samples.csv and format.json."""
    sizes = [s.mask.size for s in samples]
    offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(int)
    channels = form.channels
    kind = np.result_type(*{s.image.dtype for s in samples})
    _save_in_a_row(out / "images.npy", [s.image.reshape(-1, channels) for s in samples], kind)
    _save_in_a_row(out / "masks.npy", [s.mask.ravel() for s in samples], np.dtype(np.int32))
    table = pd.DataFrame(
        [(s.name, s.group, s.split, *s.mask.shape, s.blocks) for s in samples],
        columns=["name", "group", "split", "height", "width", "blocks"],
    )
    write_csv(out / "samples.csv", table.assign(offset=offsets))
    write_json(out / "format.json", vars(form))


def _save_in_a_row(path: Path, parts: Sequence[np.ndarray], kind: np.dtype) -> None:
    """As np.save of their concatenation, without holding all of them twice."""
    shape = (sum(map(len, parts)), *parts[0].shape[1:])
    row = np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=shape)
    start = 0
    for part in parts:
        row[start : start + len(part)] = part
        start += len(part)


def read_format(folder: Path) -> Format:
    """Read what `write_samples` wrote into format.json."""
    return Format(**read_json(folder / "format.json"))


def read_samples(folder: Path, *splits: str) -> list[Sample]:
    """Samples of these splits, in the table's order; the images stay memory-mapped."""
    images = read_array(folder / "images.npy")
    masks = read_array(folder / "masks.npy")
    table = read_csv(folder / "samples.csv", text=("name", "group"))
    samples = []
    for row in table[table["split"].isin(splits)].itertuples():
        pixels = slice(row.offset, row.offset + row.height * row.width)
        shape = (row.height, row.width)
        image = images[pixels].reshape(*shape, -1)
        mask = masks[pixels].reshape(shape)
        samples.append(
            Sample(str(row.name), str(row.group), row.split, image, np.asarray(mask), row.blocks)
        )
    return samples


def block_index(sample: Sample) -> np.ndarray:
    """(H, W) number of the stripe each pixel lies in, 0 … blocks − 1, along the longer side."""
    height, width = sample.mask.shape
    along = np.arange(max(height, width)) * sample.blocks // max(height, width)
    stripes = along[:, None] if height >= width else along[None, :]
    return np.broadcast_to(stripes, (height, width))


def renumbered(mask: np.ndarray) -> np.ndarray:
    """Instances 1 … N in place of numbers with holes; ignored pixels stay ignored."""
    labels = relabel_sequential(np.maximum(mask, 0))[0].astype(np.int32)
    return np.where(mask == IGNORED, np.int32(IGNORED), labels)
