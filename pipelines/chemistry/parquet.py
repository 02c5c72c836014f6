"""Rows of a Parquet file; its reader is imported for such a file only."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.core.errors import UserError

from .tables import Row, Table

_BATCH = 4096  # rows in memory


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
    kinds = {}
    for name, kind in zip(schema.names, schema.types, strict=True):
        plain = kind.value_type if pyarrow.types.is_dictionary(kind) else kind
        if not (pyarrow.types.is_string(plain) or pyarrow.types.is_large_string(plain)):
            kinds[name] = str(plain)
    return Table(list(schema.names), _rows(path, file), kinds)


@contextmanager
def _told(path: Path, problem: str) -> Iterator[None]:
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise UserError(f"{path}: {problem} ({error}); write it again") from None


def _batches(path: Path, file: Any) -> Iterator[Any]:
    with _told(path, "a damaged Parquet file"):
        yield from file.iter_batches(batch_size=_BATCH)


def _rows(path: Path, file: Any) -> Iterator[Row]:
    number = 0
    for batch in _batches(path, file):
        columns = [column.to_pylist() for column in batch.columns]
        for values in zip(*columns, strict=True):
            number += 1
            yield Row(number, ["" if value is None else str(value) for value in values])
