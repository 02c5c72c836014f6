"""Reading SMILES from a file of the user's: CSV, TSV, .smi, SDF or Parquet, row by row.

Rows are counted as an editor counts lines; records of SDF and Parquet are counted from 1.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rdkit import Chem, rdBase

from pipelines.core.errors import UserError

from .columns import find_column
from .parquet import read_parquet

# Number of the row, its SMILES, and why it cannot be used where that is known already.
Entry = tuple[int, str, str | None]

RAGGED = "another number of fields than the header"
RECORD = "a record without a readable structure"

_EXCEL = (".xlsx", ".xls", ".xlsm", ".ods")
_KNOWN = ".csv, .tsv, .smi or .sdf, also with .gz, or .parquet"
_MAGIC = {
    b"PK\x03\x04": "an Excel or ZIP file; save it as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel file; save it as CSV",
    b"\x1f\x8b": "compressed by gzip; add .gz to its name",
    b"PAR1": "a Parquet file; end its name in .parquet",
}


def read_entries(path: Path, column: str | None) -> Iterator[Entry]:
    """The rows of a file, one after another.

    column: name of the column that holds SMILES, None to find it. Formats without columns take
    none. Mistakes of the file as a whole are raised at once, those of a line when it is reached.

    Raises:
        UserError: no such file, a format that is not read, text that is not UTF-8, a column
            that is not there or is there twice.
    """
    suffix = suffix_of(path)
    if suffix == ".parquet":
        return read_parquet(path, column)
    data = _bytes(path)
    reader = _READERS[suffix]
    if reader is _read_separated:
        return _read_separated(path, _text(path, data), column, "\t" if suffix == ".tsv" else None)
    if column is not None:
        raise UserError(f"{path}: column: found {column!r}, but {suffix} has none; set it to null")
    return reader(path, data)


def suffix_of(path: Path) -> str:
    """The suffix that tells the format, without .gz; UserError if it is not one that is read."""
    if path.is_dir():
        raise UserError(f"{path}: is a folder; give one file, {_KNOWN}")
    if not path.exists():
        raise UserError(f"{path}: not found; prepare.path is counted from the project's root")
    suffixes = [s.lower() for s in path.suffixes[-2:]]
    packed = bool(suffixes) and suffixes[-1] == ".gz"
    suffix = (suffixes[:-1] if packed else suffixes)[-1:] or [""]
    if suffix[0] in _READERS or (suffix[0] == ".parquet" and not packed):
        return suffix[0]
    if suffix[0] in _EXCEL:
        raise UserError(f"{path}: a spreadsheet; save it as CSV")
    raise UserError(f"{path}: format {path.suffix or 'without a suffix'!r}; give {_KNOWN}")


def _bytes(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix.lower() == ".gz":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise UserError(f"{path}: damaged gzip ({error}); compress it again") from None
    for magic, problem in _MAGIC.items():
        if data.startswith(magic):
            raise UserError(f"{path}: {problem}")
    if not data.strip():
        raise UserError(f"{path}: is empty; give at least one molecule a line")
    return data


def _text(path: Path, data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UserError(f"{path}: encoded as UTF-16; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}: line {line}: not UTF-8 text; save the file as UTF-8") from None


def _read_separated(path: Path, text: str, column: str | None, mark: str | None) -> Iterator[Entry]:
    header = text.lstrip("\r\n").split("\n", 1)[0]
    mark = mark or max(",;\t", key=header.count)
    rows = _rows(path, csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True))
    names = next(row for _, row in rows if row)
    place = find_column(path, [name.strip() for name in names], column)
    return (_entry(number, row, place, len(names)) for number, row in rows)


def _rows(path: Path, reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line that each starts in."""
    start = 1
    try:
        for row in reader:
            yield start, row
            start = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"{path}: line {start}: {error}; correct its quotation marks") from None


def _entry(number: int, row: list[str], place: int, width: int) -> Entry:
    text = row[place] if place < len(row) else ""
    ragged = len(row) != width and any(field.strip() for field in row)
    return number, text, RAGGED if ragged else None


def _read_smi(path: Path, data: bytes) -> Iterator[Entry]:
    lines = _text(path, data).split("\n")
    if not lines[-1].strip():
        lines.pop()
    first = (lines[0].split() or [""])[0].lower()
    start = 1 if first in ("smiles", "smi") else 0
    if len(lines) == start:
        raise UserError(f"{path}: a header and no rows; give at least one molecule a line")
    return (
        (number, (line.split() or [""])[0], None)
        for number, line in enumerate(lines[start:], start + 1)
    )


def _read_sdf(path: Path, data: bytes) -> Iterator[Entry]:
    if b"M  END" not in data and b"M  V30 END" not in data:
        raise UserError(
            f"{path}: no record of a molecule in it; write the SD file again, or end its name in "
            ".smi if it holds SMILES"
        )
    return _records(data)


def _records(data: bytes) -> Iterator[Entry]:
    supplier = Chem.ForwardSDMolSupplier(io.BytesIO(data))
    number = 0
    while not supplier.atEnd():
        with rdBase.BlockLogs():
            try:
                mol = next(supplier)
            except StopIteration:
                return
            number += 1
            yield (number, "", RECORD) if mol is None else (number, Chem.MolToSmiles(mol), None)


_READERS: dict[str, Callable[..., Iterator[Entry]]] = {
    ".csv": _read_separated,
    ".tsv": _read_separated,
    ".smi": _read_smi,
    ".sdf": _read_sdf,
}
