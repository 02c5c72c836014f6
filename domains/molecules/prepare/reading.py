"""SMILES from a file of the user's, row by row."""

from collections.abc import Iterator
from pathlib import Path

from pipelines.chemistry.columns import smiles_column
from pipelines.chemistry.tables import ENCODING, QUOTATION, Row, open_table, suffix_of
from pipelines.core.errors import UserError

# Number of the row, its SMILES, and why it cannot be used where that is known already.
Entry = tuple[int, str, str | None]

_MENDING = {
    ENCODING: "not UTF-8 text; save the file as UTF-8",
    QUOTATION: "quotation marks are not closed; correct its quotation marks",
}


def read_entries(path: Path, column: str | None) -> Iterator[Entry]:
    """The rows of a file, one after another.

    column: name of the column that holds SMILES, None to find it. Formats without columns take
    none. Mistakes of the file as a whole are raised at once, those of a line when it is reached.

    Raises:
        UserError: no such file, a format that is not read, text that is not UTF-8, a column
            that is not there or is there twice.
    """
    suffix = suffix_of(path, "prepare.path")
    if column is not None and suffix in (".smi", ".sdf"):
        raise UserError(f"{path}: column: found {column!r}, but {suffix} has none; set it to null")
    table = open_table(path, "prepare.path")
    place = 0 if suffix == ".sdf" else smiles_column(path, table, column, "prepare.column")
    return (_entry(path, row, place) for row in table.rows)


def _entry(path: Path, row: Row, place: int) -> Entry:
    if row.problem in _MENDING:
        raise UserError(f"{path}: line {row.number}: {_MENDING[row.problem]}")
    return row.number, row.fields[place], row.problem
