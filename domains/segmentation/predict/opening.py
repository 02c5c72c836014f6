"""The user's files as planes for the network; large TIFFs without decoding them into memory."""

import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from pipelines.core.errors import UserError

from ..prepare.arrays import Format
from ..prepare.picture import refuse_bomb
from ..prepare.reading import read_planes, suffix_of
from ..prepare.tiff import only_series, spacing_um
from .ondisk import OnDisk
from .tiles import Pixels

LARGE = 2**26  # bytes of pixels above which a TIFF is decoded a strip or tile at a time
BUFFER = 2**22  # bytes of such a file that are read at once
PLAIN = (1, 2)  # photometric interpretations: grey and RGB; others are refused or converted


@dataclass(frozen=True)
class Source:
    """A file that has been looked at.

    count: its planes; channels: of each; spacing_um: (rows, columns), None where it does not say;
    large: whether planes are decoded through a file.
    """

    path: Path
    count: int
    channels: int
    spacing_um: tuple[float, float] | None
    large: bool

    @property
    def resolution(self) -> dict[str, Any]:
        """tifffile's arguments for the label image's resolution: the TIFF's own, else px per cm."""
        if suffix_of(self.path) in (".tif", ".tiff"):
            with tifffile.TiffFile(self.path) as tif:
                tags = tif.pages.first.tags
                own = [tags.valueof(code) for code in (282, 283)]  # XResolution, YResolution
                unit = tags.valueof(296, default=2)
                whole = all(value is not None and min(value) > 0 for value in own)
                if whole and unit in (1, 2, 3) and not (tif.is_ome or tif.is_imagej):
                    return {"resolution": own, "resolutionunit": unit}
        if self.spacing_um is None:
            return {}
        rows, columns = self.spacing_um
        return {"resolution": (1e4 / columns, 1e4 / rows), "resolutionunit": "CENTIMETER"}

    def planes(self, form: Format, scratch: Path) -> Iterator[Pixels]:
        """Its planes (H, W, C); the file `scratch`, where needed, lives from one to the next."""
        if not self.large:
            yield from read_planes(self.path, form.slice_axis).planes
            return
        with tifffile.TiffFile(self.path) as tif:
            for page in only_series(self.path, tif).pages:
                yield _opened(self.path, page, scratch)
                scratch.unlink(missing_ok=True)


def examined(path: Path, form: Format) -> Source:
    """Find every mistake in a file that can be found before the network is at work.

    Raises UserError for a file that cannot be read or does not have the channels that the network
    has learnt from. Of a large TIFF only the header and the first strip or tile are read.
    """
    source = _large(path)
    if source is None:
        picture = read_planes(path, form.slice_axis)
        planes = picture.planes
        source = Source(path, len(planes), planes[0].shape[2], picture.spacing_um, False)
    if source.channels != form.channels:
        kinds = {1: "grey", 3: "RGB"}
        found, needed = (kinds.get(c, f"{c}-channel") for c in (source.channels, form.channels))
        raise UserError(f"{path}: {found}, but the network learnt from {needed} images; convert it")
    return source


def _large(path: Path) -> Source | None:
    """A TIFF that is to be, and can be, decoded in parts; None for any other file."""
    if suffix_of(path) not in (".tif", ".tiff"):
        return None
    # Whatever is wrong with a file is said by the ordinary reader.
    with suppress(Exception), tifffile.TiffFile(path) as tif:
        series = only_series(path, tif)
        page = series.keyframe
        refuse_bomb(path, series.size, page.bitspersample / 8)
        if series.nbytes > LARGE and _plain(path, series):
            next(page.segments(maxworkers=1, buffersize=BUFFER))  # fails without a codec for it
            return Source(path, len(series.pages), _channels(page), spacing_um(tif), True)
    return None


def _plain(path: Path, series: Any) -> bool:
    """Whether the pages are the planes, hold ordinary pixels, and are all there."""
    page, last = series.keyframe, series.pages[-1]
    axes = zip(series.axes, series.shape, strict=True)
    several = [axis for axis, size in axes if size > 1 and axis not in "YXS"]
    return (
        len(series.pages) * page.size == series.size
        and len(several) <= 1
        and ("C" not in several or page.samplesperpixel > 1)
        and page.imagedepth == 1
        and page.photometric in PLAIN
        and page.extrasamples in ((), (1,), (2,))  # none or transparency
        and page.bitspersample % 8 == 0
        and page.dtype.kind in "uif"
        and max(map(add, last.dataoffsets, last.databytecounts)) <= path.stat().st_size
    )


def _channels(page: Any) -> int:
    return int(page.samplesperpixel - len(page.extrasamples))


def _opened(path: Path, page: Any, scratch: Path) -> OnDisk:
    """One plane (H, W, C): in the file itself where the bytes lie there in order, else decoded."""
    key, channels = page.keyframe, _channels(page.keyframe)
    shape = (key.imagelength, key.imagewidth, channels)
    apart = key.planarconfig == 2 and channels > 1
    if page.is_memmappable and key.dtype.kind != "f" and not key.extrasamples and not apart:
        kind = np.dtype(page.parent.byteorder + key.dtype.char)
        return OnDisk(path, shape, kind, page.dataoffsets[0])
    plane = OnDisk.new(scratch, shape, key.dtype)
    try:
        for data, place, _ in page.segments(maxworkers=1, buffersize=BUFFER):
            sample, _, y, x, _ = place
            if data is None or sample >= channels:
                continue
            which = slice(sample, sample + 1) if apart else slice(0, channels)
            part = data[0, : shape[0] - y, : shape[1] - x, : which.stop - which.start]
            if part.dtype.kind == "f" and not np.isfinite(part).all():
                raise UserError(f"{path}: holds NaN or infinite values; replace them")
            plane[y : y + part.shape[0], x : x + part.shape[1], which] = part
    except (ValueError, OSError, zlib.error) as error:
        raise UserError(f"{path}: damaged ({error}); copy or save it again") from None
    return plane
