"""Photographs of eyes in one array with a table beside it: the domain's common representation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import pandas as pd

from pipelines.core.artifacts import (
    read_array,
    read_arrays,
    read_csv,
    read_json,
    write_csv,
    write_json,
)

SPLITS = ("train", "validation", "test")
FOUND = "found"  # `positive` of a finding, which the target is called by
KEYS = ("split", "patient", "eye", "image")
QUALITY = ("blur", "exposure", "field")
MASKS = ("vessel", "artery", "vein", "centreline", "disc")
CHUNK = 64  # photographs that a process works on at a time
_TEXT = ("patient", "eye", "image")


@dataclass(frozen=True)
class Target:
    """What is to be read from a photograph.

    name: its column in eyes.csv; kind: value (a number with a unit) or binary (0 or 1);
    positive: what 1 means, empty for a value.
    """

    name: str
    kind: Literal["value", "binary"]
    unit: str = ""
    positive: str = ""


@dataclass(frozen=True)
class Account:
    """What became of a source's photographs: `what`, `why` and `count` of those left out; notes."""

    excluded: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Eyes:
    """Photographs and what is known of them, row by row.

    images: (n, size, size, 3) uint8, memory-mapped, RGB, 0 outside the field of view;
    table: n rows with the columns KEYS, QUALITY, `usable` and one for each target (NaN: unknown).
    """

    images: np.ndarray
    table: pd.DataFrame
    targets: list[Target]

    def __len__(self) -> int:
        return len(self.table)


def of_eyes(table: pd.DataFrame, targets: Iterable[Target]) -> list[Target]:
    """Those that belong to an eye, not to a person: binary, and of some patient's eyes not the
    same. table: as of `Eyes`; eyes that are not usable do not count."""
    people = table[table["usable"]].groupby("patient")
    return [t for t in targets if t.kind == "binary" and (people[t.name].nunique() > 1).any()]


def columns(targets: Iterable[Target]) -> list[str]:
    """The columns of eyes.csv."""
    return [*KEYS, *QUALITY, "usable", *(target.name for target in targets)]


def write_images(path: Path, parts: Iterable[np.ndarray], size: int) -> None:
    """Write parts (n, size, size, 3) uint8 one after another as one .npy, holding one at a time."""
    count = 0
    with path.open("wb+") as file:
        _write_header(file, count, size)
        for part in parts:
            file.write(np.ascontiguousarray(part, dtype=np.uint8))
            count += len(part)
        file.seek(0)
        _write_header(file, count, size)  # NumPy leaves room for a larger number


def _write_header(file: BinaryIO, count: int, size: int) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, size, size, 3)}
    np.lib.format.write_array_header_1_0(file, header)


def write_tables(out: Path, table: pd.DataFrame, targets: Sequence[Target]) -> None:
    """Write eyes.csv, whose rows are those of images.npy, and targets.json."""
    write_csv(out / "eyes.csv", table[columns(targets)])
    write_json(out / "targets.json", [vars(target) for target in targets])


def read_targets(folder: Path) -> list[Target]:
    """The targets in their order."""
    return [Target(**one) for one in read_json(folder / "targets.json")]


def read_eyes(folder: Path, splits: Sequence[str] | None = None) -> Eyes:
    """The eyes of these splits (all, if none are named) in the table's order.

    Raises UserError where `prepare` has not written them.
    """
    table = read_csv(folder / "eyes.csv", text=_TEXT)
    table[list(_TEXT)] = table[list(_TEXT)].fillna("")
    targets = read_targets(folder)
    table = table.astype({**{target.name: float for target in targets}, "usable": bool})
    images = read_array(folder / "images.npy")
    rows = np.flatnonzero(table["split"].isin(SPLITS if splits is None else splits))
    return Eyes(_rows(images, rows), table.iloc[rows].reset_index(drop=True), targets)


def read_anatomy(folder: Path, splits: Sequence[str] | None = None) -> pd.DataFrame | None:
    """What each eye of a cohort was drawn from, in the order of `read_eyes`; None elsewhere."""
    path = folder / "anatomy.csv"
    if not path.is_file():
        return None
    split = read_csv(folder / "eyes.csv", text=_TEXT)["split"]
    chosen = split.isin(SPLITS if splits is None else splits).to_numpy()
    return read_csv(path)[chosen].reset_index(drop=True)


def write_truth(out: Path, rows: Sequence[int], masks: Mapping[str, np.ndarray]) -> None:
    """Write truth.npz: where vessels and disc are in some eyes.

    rows: (m,) of images.npy; masks: each of MASKS, (m, size, size) bool, kept as packed bits.
    """
    packed = {name: np.packbits(masks[name], axis=-1) for name in MASKS}
    size = masks[MASKS[0]].shape[-1]
    np.savez(out / "truth.npz", rows=np.array(rows, dtype=np.int64), size=np.array(size), **packed)


def read_truth(folder: Path) -> dict[str, np.ndarray] | None:
    """`rows` (m,) of images.npy and for each of MASKS (m, size, size) bool; None if not known."""
    path = folder / "truth.npz"
    if not path.is_file():
        return None
    stored = read_arrays(path, "rows", "size", *MASKS)
    size = int(stored["size"])
    masks = {n: np.unpackbits(stored[n], axis=-1, count=size).astype(bool) for n in MASKS}
    return {"rows": stored["rows"], **masks}


def _rows(images: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Consecutive rows stay memory-mapped, others are copied."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return images[rows[0] : rows[-1] + 1]
    return images[rows]
