"""`scistage apply retina`: what the trained network reads from photographs of one's own.

No medical device.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipelines.core.artifacts import write_csv

from ..prepare.arrays import QUALITY
from ..prepare.cohort import read_cohort
from ..prepare.field import prepared
from ..prepare.quality import quality_of, usable
from ..prepare.reading import FORMATS, read_photograph
from ..train.ensemble import EyeEnsemble
from ..train.reading import answers, read_network
from .attention import gradient_attention
from .calibrate import Calibration, read_calibration
from .conformal import with_intervals
from .overlay import write_overlay
from .tables import eye_table

if TYPE_CHECKING:
    from pipelines.core.runner import Inputs

SUFFIXES = tuple(FORMATS)
TABLE = "predictions.csv"
CHUNK = 64  # photographs in memory
DRAWN = "learnt from drawn eyes"
WARNING = (
    f"the network has {DRAWN}: of photographs of people it says nothing that holds; "
    "train it on photographs first (source: odir or csv)"
)
SMOOTH = 1 / 64  # of the edge: deviation of the blur of the attention that is shown


def apply(inputs: "Inputs", files: list[Path], out: Path) -> None:
    """Write predictions.csv, a line a photograph, and `<stem>_attention.png` of each.

    predictions.csv: file, the quality measures and whether they suffice (`usable`), `abstained`:
    nothing is said, since the photograph is not usable or the network less certain of it than of
    nearly all validation eyes; then of each value `<t>_mean`, `<t>_sd` and the conformal interval
    `<t>_low` … `<t>_high` in the units of the training labels, of each binary target
    `<t>_probability`; empty where nothing is said. If the network has learnt from a generated
    cohort, a warning on stderr, the column `note` and each picture say so. Raises UserError for a
    file that cannot be read.
    """
    note = DRAWN if read_cohort(inputs.prepare) else ""
    if note:
        print(f"warning: {WARNING}", file=sys.stderr)
    network, calibration = read_network(inputs.train), read_calibration(inputs.predict)
    tables = []
    with TemporaryDirectory(dir=out) as scratch:
        looked, pictures = _looked_at_all(files, network.size, Path(scratch, "pictures.npy"))
        for start in range(0, len(files), CHUNK):
            part = slice(start, start + CHUNK)
            table = _said(network, calibration, looked[part].reset_index(drop=True), pictures[part])
            maps = _attention(network, pictures[part])
            rows = table.to_dict("records")
            for path, picture, seen, row in zip(
                files[part], pictures[part], maps, rows, strict=True
            ):
                target = out / f"{path.stem}_attention.png"
                write_overlay(target, picture, seen, row, network.targets, note)
            tables.append(table)
    table = pd.concat(tables)
    if note:
        table.insert(1, "note", note)
    write_csv(out / TABLE, table)


def _looked_at_all(files: list[Path], size: int, kept: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Of each its name and quality, and (n, size, size, 3) on disk: mistakes before any reading."""
    pictures = np.lib.format.open_memmap(kept, "w+", np.uint8, (len(files), size, size, 3))
    rows: list[dict[str, str | float | bool]] = []
    for k, path in enumerate(files):
        pictures[k], measures = _looked_at(path, size)
        rows.append({"file": path.name, **measures})
    return pd.DataFrame(rows), pictures


def _looked_at(path: Path, size: int) -> tuple[np.ndarray, dict[str, float | bool]]:
    """The prepared picture, black where no field of view is found, and its quality."""
    photograph = read_photograph(path)
    picture = prepared(photograph, size)
    if picture is None:
        nothing = np.zeros((size, size, 3), dtype=np.uint8)
        return nothing, {**dict.fromkeys(QUALITY, np.nan), "usable": False}
    measures = quality_of(photograph, picture)
    return picture, {**dict(zip(QUALITY, measures, strict=True)), "usable": usable(*measures)}


def _said(
    network: EyeEnsemble, calibration: Calibration, table: pd.DataFrame, pictures: np.ndarray
) -> pd.DataFrame:
    """The table with what is said of each eye, and nothing of those that are abstained from."""
    targets = network.targets
    said = eye_table(table, targets, *answers(network, pictures))
    said.insert(0, "file", table["file"])
    said = with_intervals(calibration.marked(said, targets), targets, calibration.eyes)
    columns = [name for name in said if name.startswith(tuple(f"{t.name}_" for t in targets))]
    said.loc[said["abstained"], columns] = np.nan
    return said


def _attention(network: EyeEnsemble, pictures: np.ndarray) -> Iterator[np.ndarray]:
    """For each picture (T, H, W): where each target is read from."""
    blur = SMOOTH * network.size
    maps = [gradient_attention(network, pictures, k, blur) for k in range(len(network.targets))]
    return iter(np.stack(maps, axis=1))
