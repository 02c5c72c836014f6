"""Reading a table of molecules, row by row in constant memory: CSV, TSV, .smi, SDF or Parquet.

Rows are counted as an editor counts lines; records of SDF and Parquet are counted from 1. What is
wrong with one row is told with that row; what is wrong with the file is raised.
"""

import csv
import gzip
import re
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.core.errors import UserError

RAGGED = "another number of fields than the header"
RECORD = "a record without a readable structure"
ENCODING = "not UTF-8 text"
QUOTATION = "quotation marks that are not closed"
LONG = "a field of more than 131,072 characters"

LONGEST_LINE = 2**20  # characters
MOST_COLUMNS = 10_000
GROWTH = 500  # times that gzip may have shrunk a table; ordinary ones shrink three to ten times

_KNOWN = ".csv, .tsv, .smi or .sdf, also with .gz, or .parquet"
_UNDECODED = re.compile("[\udc80-\udcff]")
_START = 64  # bytes that show what a file is
_BLOCK = 2**16  # bytes that are unpacked at a time
_LOOKED_AT = 2**26  # bytes, unpacked, that are looked at before anything is made of a row
_EXCEL = (".xlsx", ".xls", ".xlsm", ".ods")
_MAGIC = {
    b"PK\x03\x04": "an Excel or ZIP file; save it as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel file; save it as CSV",
    b"\x1f\x8b": "compressed by gzip; add .gz to its name",
    b"PAR1": "a Parquet file; end its name in .parquet",
    b"\xff\xfe": "encoded as UTF-16; save it as UTF-8",
    b"\xfe\xff": "encoded as UTF-16; save it as UTF-8",
}


class Row(NamedTuple):
    """One row: its number, a field for each column, and what is wrong with it, if anything."""

    number: int
    fields: list[str]
    problem: str | None = None


@dataclass(frozen=True)
class Table:
    """Names of the columns, and the rows, which can be read once.

    kinds: what columns that hold no text hold instead; only Parquet knows.
    """

    names: list[str]
    rows: Iterator[Row]
    kinds: dict[str, str] = field(default_factory=dict)


def open_table(path: Path, where: str = "") -> Table:
    """A table with all its columns.

    A .smi file has the columns smiles and name. An SD file has those, of its structures and their
    titles, and one for each data field.

    Args:
        path: of the file.
        where: the parameter that names it, for messages.

    Raises:
        UserError: no such file, a format that is not read, an empty or damaged file.
    """
    suffix = suffix_of(path, where)
    if suffix == ".parquet":
        from .parquet import read_parquet

        return read_parquet(path)
    _require_text(path)
    if suffix == ".sdf":
        from .sdf import read_sdf

        return read_sdf(path, lambda: map(_shown, lines_of(path)))
    return _read_smi(path) if suffix == ".smi" else _read_separated(path, suffix)


def suffix_of(path: Path, where: str = "") -> str:
    """The suffix that tells the format, without .gz; UserError if it is not one that is read."""
    if path.is_dir():
        raise UserError(f"{path}: is a folder; give one file, {_KNOWN}")
    if path.exists() and not path.is_file():
        raise UserError(f"{path}: is no ordinary file; give one file, {_KNOWN}")
    if not path.exists():
        hint = f"; {where} is counted from the project's root" if where else ""
        raise UserError(f"{path}: not found{hint}")
    suffixes = [s.lower() for s in path.suffixes[-2:]]
    packed = bool(suffixes) and suffixes[-1] == ".gz"
    suffix = (suffixes[:-1] if packed else suffixes)[-1:] or [""]
    if suffix[0] in (".csv", ".tsv", ".smi", ".sdf") or (suffix[0] == ".parquet" and not packed):
        return suffix[0]
    if suffix[0] in _EXCEL:
        raise UserError(f"{path}: a spreadsheet; save it as CSV")
    raise UserError(f"{path}: format {path.suffix or 'without a suffix'!r}; give {_KNOWN}")


def lines_of(path: Path) -> Iterator[str]:
    """Lines with their ends; bytes that are no UTF-8 are lone surrogates.

    Raises:
        UserError: damaged gzip, a decompression bomb, a line without an end.
    """
    with _opened(path) as (stream, file):
        text = TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        lines = iter(partial(text.readline, LONGEST_LINE + 1), "")
        size, due = 0, LONGEST_LINE
        for number, line in enumerate(lines, 1):
            size += len(line)
            if len(line) > LONGEST_LINE:
                raise UserError(
                    f"{path}: line {number}: has more than {LONGEST_LINE:,} characters; is it a "
                    "table?"
                )
            if size > due:
                _refuse_bomb(path, size, file.tell())
                due += LONGEST_LINE
            yield line


def _refuse_bomb(path: Path, unpacked: int, packed: int) -> None:
    if unpacked > max(LONGEST_LINE, GROWTH * packed):
        raise UserError(
            f"{path}: grows to more than {GROWTH} times its size, a decompression bomb; unpack it "
            "if you know what it is"
        )


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """A file's bytes, unpacked, and the file, whose position tells how many were packed."""
    try:
        with path.open("rb") as file:
            yield gzip.GzipFile(fileobj=file) if path.suffix.lower() == ".gz" else file, file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path}: damaged gzip ({error}); compress it again") from None


def _require_text(path: Path) -> None:
    with _opened(path) as (stream, file):
        start = stream.read(_START)
        size = len(start)
        while size < _LOOKED_AT and (block := stream.read(_BLOCK)):
            size += len(block)
            _refuse_bomb(path, size, file.tell())
    for magic, problem in _MAGIC.items():
        if start.startswith(magic):
            raise UserError(f"{path}: {problem}")
    if b"\0" in start:
        raise UserError(f"{path}: encoded as UTF-16, or no text; save it as UTF-8")
    if not any(line.strip() for line in lines_of(path)):
        raise UserError(f"{path}: is empty; give at least one molecule a line")


def _read_separated(path: Path, suffix: str) -> Table:
    lines = _Lines(lines_of(path))
    header = next(line for line in lines if line.strip())
    lines.put_back([header])
    tab = suffix == ".tsv" and "\t" in header
    mark = "\t" if tab else max(",;\t", key=header.count)
    rows = _rows(lines, mark)
    _, fields, problem = next(rows)
    if problem:
        raise UserError(f"{path}: line {lines.number}: {problem}; correct the header")
    names = [name.strip() for name in fields]
    require_few(path, len(names))
    if len(names) == 1 and "|" in names[0]:
        raise UserError(f"{path}: columns parted by '|'; part them by comma, semicolon or tab")
    return Table(names, (_fitted(row, len(names), mark) for row in rows))


def require_few(path: Path, columns: int) -> None:
    """UserError for more columns than a row may have."""
    if columns > MOST_COLUMNS:
        raise UserError(f"{path}: {columns:,} columns; give at most {MOST_COLUMNS:,}")


class _Lines:
    """Lines, with the number of those that were read, some of which can be put back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines
        self.waiting: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self.waiting.popleft() if self.waiting else next(self.lines)
        self.taken.append(line)
        self.number += 1
        return line

    def put_back(self, lines: list[str]) -> None:
        self.waiting.extendleft(reversed(lines))
        self.number -= len(lines)


def _rows(lines: _Lines, mark: str) -> Iterator[Row]:
    """Rows with the line that each starts in.

    An open quotation mark takes all lines below it for one field: all but its own are read again.
    """
    reader = csv.reader(lines, delimiter=mark, strict=True)
    while True:
        lines.taken.clear()
        start = lines.number + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = LONG if "limit" in str(error) and len(lines.taken) == 1 else QUOTATION
            lines.put_back(lines.taken[1:])
            yield _decoded(Row(start, lines.taken[0].rstrip().split(mark), problem))
        else:
            yield _decoded(Row(start, row))


def _decoded(row: Row) -> Row:
    """With U+FFFD, and the problem, for bytes that are no UTF-8."""
    number, fields, problem = row
    if not any(map(_UNDECODED.search, fields)):
        return row
    return Row(number, list(map(_shown, fields)), problem or ENCODING)


def _shown(text: str) -> str:
    return _UNDECODED.sub("\ufffd", text)


def _fitted(row: Row, width: int, mark: str) -> Row:
    """With a field for each column; what is too much stays in the last."""
    number, fields, problem = row
    if len(fields) != width:
        if any(field.strip() for field in fields):
            problem = problem or RAGGED
        fields = [*fields, *[""] * width]
        last = mark.join(fields[width - 1 : max(width, len(row.fields))])
        fields = [*fields[: width - 1], last]
    return Row(number, fields, problem)


def _read_smi(path: Path) -> Table:
    lines = lines_of(path)
    first = next(lines)
    titled = (first.split() or [""])[0].lower() in ("smiles", "smi")
    second = next(lines, None)
    if titled and second is None:
        raise UserError(f"{path}: a header and no rows; give at least one molecule a line")
    every = chain([first], [] if second is None else [second], lines)
    numbered = ((k, line) for k, line in enumerate(every, 1) if k > titled)
    return Table(["smiles", "name"], (_named(k, line) for k, line in numbered))


def _named(number: int, line: str) -> Row:
    fields = line.split(None, 1)
    smiles, name = [*fields, "", ""][:2]
    return _decoded(Row(number, [smiles, name.strip()]))
