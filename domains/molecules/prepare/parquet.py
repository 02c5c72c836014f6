"""SMILES from a Parquet file; its reader is imported for such a file only."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.core.errors import UserError

from .columns import find_column


def read_parquet(path: Path, column: str | None) -> Iterator[tuple[int, str, str | None]]:
    """(number of the record, SMILES or "", None) of each record; reads one column only.

    Raises:
        UserError: not a Parquet file, no such column, or a column that holds no text.
    """
    import pyarrow
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise UserError(f"{path}: not a Parquet file ({error}); write it again") from None
    names = file.schema_arrow.names
    place = find_column(path, names, column)
    kind = file.schema_arrow.types[place]
    if pyarrow.types.is_dictionary(kind):
        kind = kind.value_type
    if not (pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind)):
        raise UserError(f"{path}: column {names[place]!r} holds {kind} and no text; name another")
    return _records(file, names[place])


def _records(file: Any, name: str) -> Iterator[tuple[int, str, str | None]]:
    number = 0
    for batch in file.iter_batches(columns=[name]):
        for text in batch.column(0).to_pylist():
            number += 1
            yield number, text or "", None
