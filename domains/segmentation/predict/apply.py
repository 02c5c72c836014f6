"""`scistage apply segmentation`: the trained network on images of one's own, of any size."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.core.artifacts import read_json, write_csv

from ..prepare.arrays import Format
from ..prepare.reading import SUFFIXES, stem_of
from .blocks import Regions, segment
from .files import RULE, read_rule, write_pages
from .network import load
from .objects import described
from .opening import Source, examined
from .volumes import is_volume, write_volume

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

__all__ = ["SUFFIXES", "TABLE", "apply"]

TABLE = "objects.csv"
MOST_UNLIKE = 1.5  # times larger or smaller pixels than those learnt from, before a warning
MOST_FOREGROUND = 2.0  # times its share in the split learnt from that has most of it, likewise


def apply(inputs: "Inputs", files: list[Path], out: Path) -> None:
    """Write `<stem>.tif` with the labels of each file, and objects.csv with its objects.

    A label image has a page for each plane of its file and the file's resolution tags; the labels
    of a NIfTI volume are `<stem>.nii.gz` in the same space.
    objects.csv: file, slice (counted from 0) if a file has several, id (value in the label image;
    of a connected region for binary and class masks, then with its class), area in px and, where
    the file or else the training data state a pixel size, µm² and which of the two stated it,
    centroid and bounding box in px, mean intensity in the image's own units (mean over colours),
    and mean confidence, the calibrated probability given to what was decided. Warns on stderr of
    pixels and shares of foreground that are unlike those learnt from. Raises UserError for a file
    that cannot be read or does not have the channels that the network has learnt from.
    """
    settings, rule = read_json(inputs.predict / RULE), read_rule(inputs.predict)
    model = load(inputs.train, **settings["tiles"])
    sources = [examined(path, model.form) for path in files]  # every mistake before any work
    _warn_of_other_sizes(sources, model.form)
    tables, learnt = [], _foreground(inputs.prepare)
    for source in sources:
        with TemporaryDirectory(dir=out, prefix=".scratch-") as folder:
            scratch = Path(folder)
            planes = source.planes(model.form, scratch / "plane")
            pages = [
                segment(model, plane, rule, settings["temperature"], scratch / f"page{k}")
                for k, plane in enumerate(planes)
            ]
            _write(out, source, pages, model.form)
        _warn_of_foreground(source.path, pages, learnt)
        tables += [_table(source, k, page, model.form) for k, page in enumerate(pages)]
    table = pd.concat(tables)
    if all(source.count == 1 for source in sources):
        del table["slice"]
    write_csv(out / TABLE, table)


def _write(out: Path, source: Source, pages: list[Regions], form: Format) -> None:
    highest = max(int(page.values.max(initial=0)) for page in pages)
    if is_volume(source.path):
        write_volume(out / f"{stem_of(source.path)}.nii.gz", pages, highest, source.path, form)
    else:
        write_pages(out / f"{stem_of(source.path)}.tif", pages, highest, source.resolution)


def _table(source: Source, k: int, page: Regions, form: Format) -> pd.DataFrame:
    size = source.spacing_um or (form.pixel_size_um and (form.pixel_size_um,) * 2)
    table = described(page.table, form.labels, size)
    if size:
        stated = "file" if source.spacing_um else "training data"
        table.insert(list(table).index("area_um2") + 1, "pixel_size_from", stated)
    table.insert(0, "file", source.path.name)
    table.insert(1, "slice", k)
    return table


def _warn_of_other_sizes(sources: list[Source], form: Format) -> None:
    learnt = form.pixel_size_um
    stated = [(one.path, max(one.spacing_um)) for one in sources if learnt and one.spacing_um]
    unlike = [
        (path, size)
        for path, size in stated
        if learnt and not 1 / MOST_UNLIKE <= size / learnt <= MOST_UNLIKE
    ]
    if unlike:
        path, size = unlike[0]
        more = f" (and {len(unlike) - 1} more files)" if len(unlike) > 1 else ""
        print(
            f"warning: {path}: pixels of {size:g} µm, but the network has learnt from pixels of "
            f"{learnt:g} µm, where objects have another size; resample it, or correct what the "
            f"file says of them{more}",
            file=sys.stderr,
        )


def _foreground(prepare: Path) -> float:
    """Its largest share in a split of the data learnt from."""
    splits = read_json(prepare / "card.json")["splits"]
    return float(max(split["foreground_share"] for split in splits.values()))


def _warn_of_foreground(path: Path, pages: list[Regions], learnt: float) -> None:
    area = sum(float(page.table["area"].sum()) for page in pages)
    share = area / sum(np.prod(page.shape) for page in pages)
    if share > MOST_FOREGROUND * learnt:
        print(
            f"warning: {path}: {share:.0%} of it is taken for objects, of the images learnt from "
            f"at most {learnt:.0%}; look whether it is an image like those",
            file=sys.stderr,
        )
