"""Rows of a Parquet file; its reader is imported for such a file only."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.core.errors import UserError

from .tables import Row, Table, require_few

_BATCH = 4096  # rows in memory
_GROWTH = 500  # times that its pages may grow
_LARGE = 2**26  # bytes, up to which they may grow more
_ROWS = 50  # a byte of the file: no two molecules take so little


def read_parquet(path: Path) -> Table:
    """The table of all columns, missing values as "".

    Raises:
        UserError: not a Parquet file; when its rows are read, a damaged one.
    """
    import pyarrow
    import pyarrow.parquet as pq

    with _told(path, "not a Parquet file"):
        file = pq.ParquetFile(path)
        schema = file.schema_arrow
    require_few(path, len(schema.names))
    _refuse_bomb(path, file.metadata)
    kinds = {}
    for name, kind in zip(schema.names, schema.types, strict=True):
        plain = kind.value_type if pyarrow.types.is_dictionary(kind) else kind
        if not (pyarrow.types.is_string(plain) or pyarrow.types.is_large_string(plain)):
            kinds[name] = str(plain)
    return Table(list(schema.names), _rows(path, file), kinds)


def _refuse_bomb(path: Path, about: Any) -> None:
    size = path.stat().st_size
    grown = sum(about.row_group(k).total_byte_size for k in range(about.num_row_groups))
    if about.num_rows > _ROWS * size or grown > max(_LARGE, _GROWTH * size):
        raise UserError(
            f"{path}: {about.num_rows:,} rows of {grown:,} bytes in a file of {size:,}, a "
            "decompression bomb; write it again without compression if you know what it is"
        )


@contextmanager
def _told(path: Path, problem: str) -> Iterator[None]:
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: {problem} ({error}); write it again") from None


def _batches(path: Path, file: Any) -> Iterator[list[list[Any]]]:
    with _told(path, "a damaged Parquet file"):
        for batch in file.iter_batches(batch_size=_BATCH):
            yield [_values(column) for column in batch.columns]


def _values(column: Any) -> list[Any]:
    try:
        return column.to_pylist()
    except (OverflowError, ValueError) as error:  # dates that Python does not know
        if isinstance(error, UnicodeDecodeError):
            raise
        return column.cast("string").to_pylist()


def _rows(path: Path, file: Any) -> Iterator[Row]:
    number = 0
    for columns in _batches(path, file):
        for values in zip(*columns, strict=True):
            number += 1
            yield Row(number, ["" if value is None else str(value) for value in values])
