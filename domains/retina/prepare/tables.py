"""Tables of a user's own: every field as it is written, with one line for what is wrong."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from pipelines.core.errors import UserError


def read_table(path: Path) -> pd.DataFrame:
    """All fields as text without blanks around them, an empty one as "".

    Raises UserError for a file that is no table with a header and rows.
    """
    if path.is_dir():
        raise UserError(f"{path}: is a folder; give the table in it, such as {path}/eyes.csv")
    if not path.is_file():
        raise UserError(f"{path}: not found; correct prepare.path")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in csv.reader(file) if any(field.strip() for field in line)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: not a CSV table in UTF-8 ({error}); save it as CSV") from None
    if len(lines) < 2:
        raise UserError(f"{path}: no row below the header; add the photographs")
    header = [name.strip() for name in lines[0]]
    other = next((mark for mark in ";\t" if len(header) == 1 and mark in header[0]), None)
    if other:
        raise UserError(f"{path}: fields are separated by {other!r}; save it with commas")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise UserError(f"{path}: two columns are called {twice[0]!r}; rename one")
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(header):
            raise UserError(
                f"{path}: row {number}: {len(line)} fields, but the header has {len(header)}; "
                "quote fields that hold a comma"
            )
    rows = [[field.strip() for field in line] for line in lines[1:]]
    return pd.DataFrame(rows, columns=header, dtype=str)


def require_inside(path: Path, table: pd.DataFrame, column: str) -> None:
    """UserError for the first file named that is not below the folder that names count from."""
    for row, name in table[column].items():
        named = Path(name)
        if named.is_absolute() or ".." in named.parts:
            raise UserError(
                f"{path}: row {row + 2}: {column!r}: found {name!r}, which leaves the folder; put "
                "the photographs below it, and name them from there"
            )


def require_columns(path: Path, table: pd.DataFrame, names: Mapping[str, str]) -> None:
    """UserError for the first column that the table lacks, with the one that may be meant.

    names: of each column how to mend it if it is missing.
    """
    for name, mend in names.items():
        if name not in table.columns:
            close = difflib.get_close_matches(name, table.columns, n=1, cutoff=0.6)
            known = ", ".join(repr(column) for column in table.columns[:8])
            hint = f"did you mean {close[0]!r}?" if close else f"there are {known}"
            raise UserError(f"{path}: no column {name!r}; {hint}; {mend}")
