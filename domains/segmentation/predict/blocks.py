"""Labels of an image of any size: decided in overlapping blocks, objects united across seams."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from skimage.measure import label
from tqdm import tqdm

from ..prepare.arrays import Format
from ..prepare.intensity import bounds, rescale
from .calibrate import tempered, two_sided
from .instances import Rule
from .network import Segmentation
from .objects import merged, sums
from .ondisk import OnDisk
from .seams import Part, Seams
from .tiles import Pixels
from .tune import decide


@dataclass(frozen=True)
class Blocks:
    """How labels are decided in parts: blocks of `edge` px, with `overlap` px more on each side.

    Two objects of neighbouring blocks are the same if their IoU in what both blocks see is above
    `least`.
    """

    edge: int
    overlap: int
    least: float


INSTANCES = Blocks(edge=2048, overlap=256, least=0.5)
REGIONS = Blocks(edge=1024, overlap=1, least=0.0)  # any pixel in common makes it one region


@dataclass(frozen=True)
class Regions:
    """What was found in an image (H, W, C).

    numbers: (H, W) int32 on disk; values: what each number stands for in the label image (the
    number of an instance, or a class); table: a line for each object, see `objects.merged`.
    A part of the label image is got by its rows and columns.
    """

    numbers: OnDisk
    values: np.ndarray
    table: pd.DataFrame

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W)."""
        return self.numbers.shape

    def __getitem__(self, place: tuple[slice, slice]) -> np.ndarray:
        return self.values[self.numbers[place]]


def segment(
    model: Segmentation, image: Pixels, rule: Rule, temperature: float, numbers: Path
) -> Regions:
    """Find the objects of an image (H, W, C), which may be larger than memory.

    The probabilities of all tiles go to a passing file, as float16, as `predict` keeps them, and
    the objects' numbers to the file `numbers`, which stays.
    """
    form, shape = model.form, image.shape[:2]
    with TemporaryDirectory(dir=numbers.parent) as scratch:
        probability = OnDisk.new(Path(scratch, "probability"), (form.outputs, *shape), np.float16)
        tiles = model.tiles(_Scaled(image, *bounds(image, form), form))
        for rows, columns, said in tqdm(
            tiles, "segmenting", unit=" tiles", leave=False, disable=None
        ):
            probability[:, rows, columns] = said
        file = OnDisk.new(numbers, shape, np.int32)
        return decided(probability, image, form, rule, temperature, file, Path(scratch))


def decided(
    probability: OnDisk | np.ndarray,
    image: Pixels,
    form: Format,
    rule: Rule,
    temperature: float,
    numbers: OnDisk,
    scratch: Path,
    blocks: Blocks | None = None,
) -> Regions:
    """The objects of an image (H, W, C) out of its probabilities (K, H, W), numbered in `numbers`.

    Objects are instances or, for binary and class masks, connected regions of a class.
    """
    instances = form.labels == "instances"
    blocks = blocks or (INSTANCES if instances else REGIONS)
    seams = Seams(scratch, blocks.overlap, blocks.least)
    before, tables = 0, []
    for rows, columns in _grid(image.shape, blocks.edge):
        wide = seams.grown(rows, columns, image.shape)
        said = np.asarray(probability[:, *wide], dtype=np.float32)
        labels = decide(said, form, rule)
        objects = labels if instances else label(labels, background=0).astype(np.int32)
        part = Part(objects, (wide[0].start, wide[1].start), before)
        seams.add(part, rows, columns)
        own = part.cut(rows, columns)
        y, x = np.nonzero(own.labels)
        inside = y + rows.start - wide[0].start, x + columns.start - wide[1].start
        kinds, count = labels[inside], int(objects.max(initial=0))
        sure = _confidence(said[:, *inside], kinds, form, temperature)
        bright = image[rows, columns][y, x].mean(axis=-1)
        tables.append(sums(own, count, {"class": kinds, "intensity": bright, "confidence": sure}))
        numbers[rows, columns] = np.where(own.labels > 0, own.labels + before, 0)
        before += count
    parts = pd.concat(tables, ignore_index=True)
    table, objects = merged(parts, seams.pairs)
    return Regions(numbers, objects if instances else np.append(0, parts["class"]), table)


@dataclass(frozen=True)
class _Scaled:
    """An image on the network's scale of intensities, part by part."""

    image: Pixels
    low: np.ndarray
    high: np.ndarray
    form: Format

    @property
    def shape(self) -> tuple[int, ...]:
        return self.image.shape

    def __getitem__(self, place: tuple[slice, slice]) -> np.ndarray:
        return rescale(self.image[place], self.low, self.high, self.form)


def _grid(shape: tuple[int, ...], edge: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of blocks side by side, row by row."""
    height, width = shape[:2]
    for top in range(0, height, edge):
        for left in range(0, width, edge):
            yield slice(top, min(top + edge, height)), slice(left, min(left + edge, width))


def _confidence(
    said: np.ndarray, labels: np.ndarray, form: Format, temperature: float
) -> np.ndarray:
    """Calibrated probability of what was decided, of pixels (K, P) with these labels (P,)."""
    classes = labels if form.labels == "classes" else (labels > 0).astype(int)
    calibrated = tempered(two_sided(said, form), temperature)
    return np.take_along_axis(calibrated, classes[None], axis=0)[0]
