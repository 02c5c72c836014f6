"""Real photographs with a table of what is known: cut to the field of view, judged, split."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipelines.core.errors import UserError
from pipelines.core.parallel import by_chunk

from .arrays import CHUNK, QUALITY, SPLITS, Account, Target, write_images, write_tables
from .field import prepared
from .params import PrepareParams
from .quality import quality_of, usable
from .reading import read_photograph, require_file
from .split import require_patients, split_patients
from .twins import copies, joined, same_eyes, summary

_NAMED = 12  # pairs of patients on the card


@dataclass(frozen=True)
class Listed:
    """Photographs of a source, as its table lists them.

    table: a line each with `patient`, `eye` (left, right or empty), `image` (name for later
    stages), `path`, and the targets, NaN where unknown; excluded: what the table rules out;
    join_copies: whether two patients with the very same photograph are taken for one, as where
    nobody can mend the table, instead of being refused.
    """

    table: pd.DataFrame
    targets: list[Target]
    excluded: list[dict[str, Any]] = field(default_factory=list)
    join_copies: bool = False


def check_photographs(listed: Listed) -> None:
    """UserError for what `write_photographs` would refuse, as far as it shows without decoding."""
    for path in listed.table["path"]:
        require_file(path)
    require_patients(listed.table["patient"].nunique())
    for target in listed.targets:
        _require_varied(target, listed.table, "table")


def write_photographs(listed: Listed, params: PrepareParams, out: Path) -> Account:
    """Write images.npy, eyes.csv and targets.json; return what was left out.

    Unusable photographs are left out of train and validation; in the test they stay, marked.
    Those without a field of view cannot be cut and are left out everywhere.
    """
    read = out / "read.npy"  # in the table's order, until it is known who goes where
    scan = _Scan(len(listed.table))
    write_images(read, scan.pictures(listed.table["path"].tolist(), params.size), params.size)
    measures = scan.measures
    scan.raise_first_mistake()
    seen = np.isfinite(measures).all(axis=1)
    if not seen.any():
        raise UserError(
            f"{listed.table['path'].iloc[0]}: no field of view found, a bright disc before black, "
            f"as in all {len(seen)} photographs; give photographs of the fundus"
        )
    table = listed.table[seen].reset_index(drop=True)
    table["usable"] = [usable(*row) for row in measures[seen]]
    table[list(QUALITY)] = measures[seen]
    pairs = _pairs(table, scan, np.flatnonzero(seen), read, listed.join_copies)
    table["group"] = joined(table["patient"].tolist(), pairs)
    table["split"] = split_patients(table, listed.targets, params.shares, params.seed)
    kept = table["usable"] | (table["split"] == "test")
    where = pd.Categorical(table["split"], categories=SPLITS, ordered=True)
    order = np.lexsort([table["eye"], table["patient"], where.codes])
    order = order[kept.to_numpy()[order]]
    require_known(table.iloc[order], listed.targets)
    rows = np.flatnonzero(seen)[order]
    pictures = np.load(read, mmap_mode="r")
    write_images(out / "images.npy", (pictures[row : row + 1] for row in rows), params.size)
    read.unlink()
    write_tables(out, table.iloc[order].reset_index(drop=True), listed.targets)
    left_out = {
        "no field of view found": int((~seen).sum()),
        "train and validation: blurred, dark, glaring or little of the field": int((~kept).sum()),
    }
    excluded = [{"what": "photographs", "why": w, "count": n} for w, n in left_out.items()]
    return Account([*listed.excluded, *excluded], _told(table, pairs))


def _pairs(
    table: pd.DataFrame, scan: _Scan, seen: np.ndarray, read: Path, join_copies: bool
) -> list[tuple[int, int]]:
    """Rows of the table that show the same eye though the patients differ.

    seen: (rows,) of `scan`. Pictures without a field of view are alike, whosever they are, and
    are not compared. Raises UserError for the very same picture unless these are to be joined.
    """
    patients = table["patient"].tolist()
    shared = copies(patients, [scan.digests[row] for row in seen])
    if shared and not join_copies:
        _refuse_copy(table, shared[0])
    alike = same_eyes(scan.summaries[seen], patients, _opened(read, seen))
    return sorted({*alike, *shared})


def _opened(path: Path, rows: np.ndarray) -> Callable[[int], np.ndarray]:
    pictures = np.load(path, mmap_mode="r")
    return lambda k: np.asarray(pictures[rows[k]])


def _told(table: pd.DataFrame, pairs: Sequence[tuple[int, int]]) -> list[str]:
    """A note for the card on patients who were found twice."""
    both = sorted({tuple(sorted(table["patient"].iloc[list(pair)])) for pair in pairs})
    if not both:
        return []
    named = ", ".join(f"{one} and {other}" for one, other in both[:_NAMED])
    more = f" and {len(both) - _NAMED} more" if len(both) > _NAMED else ""
    return [
        "The same eye under two patient numbers, or one hidden by the same reflexes: "
        f"{named}{more}; they are kept in one split."
    ]


def _refuse_copy(table: pd.DataFrame, pair: tuple[int, int]) -> None:
    """UserError: two patients have the same photograph, which could be in train and in test."""
    known, row = table.iloc[pair[0]], table.iloc[pair[1]]
    raise UserError(
        f"{row['path']}: the same picture as {known['image']}, but of patient "
        f"{row['patient']!r}, not {known['patient']!r}; give both one patient, or remove one"
    )


def require_known(table: pd.DataFrame, targets: Sequence[Target]) -> None:
    """UserError where a split cannot be learnt from or scored: a target unknown or constant."""
    for split in SPLITS:
        part = table[table["split"] == split]
        if not part["usable"].any():
            raise UserError(
                f"{split}: no usable photograph among {len(part)}; add patients or raise its share"
            )
        for target in targets:
            _require_varied(target, part, split)


def _require_varied(target: Target, part: pd.DataFrame, where: str) -> None:
    known = part[target.name].dropna()
    if known.nunique() < 2:
        found = f"only {known.iloc[0]:g}" if len(known) else "no value"
        raise UserError(
            f"{target.name}: {found} in the {len(part)} photographs of {where}; add "
            "patients, raise its share, or remove the target"
        )


class _Scan:
    """What is learnt of the photographs while they are read once.

    measures: (n, 3) quality, NaN where no field of view was found; summaries: see
    `twins`; digests: SHA-256 of the pixels;
    mistakes: a line for each file that cannot be used.
    """

    def __init__(self, count: int) -> None:
        self.measures = np.full((count, len(QUALITY)), np.nan)
        self.summaries = np.zeros((count, 32 * 32), dtype=np.float32)
        self.digests: list[str] = []
        self.mistakes: list[str] = []

    def pictures(self, paths: Sequence[Path], size: int) -> Iterator[np.ndarray]:
        """Prepared pictures, some at a time, black where there is none."""
        read_some = partial(_read, size=size)
        for place, (pictures, measures, found) in by_chunk(read_some, paths, CHUNK):
            self.measures[place] = measures
            self.summaries[place] = [summary(picture) for picture in pictures]
            self.digests += [digest for digest, _ in found]
            self.mistakes += [mistake for _, mistake in found if mistake]
            yield pictures

    def raise_first_mistake(self) -> None:
        """UserError for the first file that cannot be used, with the number of the others."""
        if self.mistakes:
            others = len(self.mistakes) - 1
            more = f" (and {others} more files with mistakes)" if others else ""
            raise UserError(self.mistakes[0] + more)


def _read(paths: Sequence[Path], size: int) -> tuple[np.ndarray, np.ndarray, list[tuple[str, str]]]:
    """Prepared pictures, their quality, and of each file the digest and the mistake."""
    pictures = np.zeros((len(paths), size, size, 3), dtype=np.uint8)
    measures = np.full((len(paths), len(QUALITY)), np.nan)
    found = []
    for k, path in enumerate(paths):
        try:
            photograph = read_photograph(path)
        except UserError as error:
            found.append(("", str(error)))
            continue
        picture = prepared(photograph, size)
        if picture is not None:
            pictures[k], measures[k] = picture, quality_of(photograph, picture)
        found.append((hashlib.sha256(np.ascontiguousarray(photograph)).hexdigest(), ""))
    return pictures, measures, found
