"""Rows of the tables that parameters name, declared or the user's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.chemistry.columns import find_column, smiles_column
from pipelines.chemistry.tables import open_table
from pipelines.core.errors import UserError
from pipelines.data.sources import fetch, sha256_of

from .known import DATASETS, LIBRARIES, Dataset
from .params import PrepareParams, TargetColumn

# Number of the row, what is wrong with it, and its fields by what they are.
_Row = tuple[int, str | None, dict[str, str]]

NAMES = ("name", "compound_name", "pref_name", "title", "id")  # of molecules, the first there is


@dataclass(frozen=True)
class Listed:
    """Rows of a table.

    name: of the file; columns: the field of each row, by what it is; numbers: of the rows;
    problems: what is wrong with each, or None.
    """

    name: str
    columns: dict[str, list[str]]
    numbers: list[int]
    problems: list[str | None]

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True)
class Place:
    """Where rows are read from: files of a table, its column of SMILES, parameters' names."""

    paths: tuple[Path, ...]
    column: str | None
    of_path: str
    of_column: str


def measured(params: PrepareParams) -> tuple[Place, list[TargetColumn]]:
    """The table of measurements, and its targets; a declared source is fetched."""
    known = DATASETS.get(params.source)
    if known:
        return _place(known), list(known.targets)
    path = Path(params.path or "")
    return Place((path,), params.column, "prepare.path", "prepare.column"), params.targets


def library(params: PrepareParams) -> Place | None:
    """The library's table; None if nothing is to be ranked."""
    known = LIBRARIES.get(params.library)
    if known:
        return _place(known)
    if not params.library_path:
        return None
    path = Path(params.library_path)
    names = "prepare.library_path", "prepare.library_column"
    return Place((path,), params.library_column, *names)


def files(params: PrepareParams) -> dict[str, str]:
    """SHA-256 of every file that is read, by name; of the library after `library: `."""
    ours = _hashes(DATASETS.get(params.source), params.path)
    theirs = _hashes(LIBRARIES.get(params.library), params.library_path)
    return {**ours, **{f"library: {name}": found for name, found in theirs.items()}}


def _hashes(known: Dataset | None, path: str | None) -> dict[str, str]:
    if known:
        return {name: known.source.files[name] for name in known.files}
    return {Path(path).name: sha256_of(Path(path))} if path else {}


def read_measured(place: Place, targets: list[TargetColumn]) -> Listed:
    """All rows, with the columns `smiles` and one for each target.

    Raises:
        UserError: a table that cannot be read, a column that is not there.
    """
    wanted = {target.name: target.column for target in targets}
    return _gathered(place, [_rows(place, path, wanted) for path in place.paths])


def read_library(place: Place) -> Listed:
    """All rows, with the column `smiles`, and `name` if the table has one."""
    return _gathered(place, [_rows(place, path, {}) for path in place.paths])


def _place(known: Dataset) -> Place:
    paths = fetch(known.source)
    return Place(tuple(paths[name] for name in known.files), known.column, "source", "column")


def _rows(place: Place, path: Path, wanted: dict[str, str]) -> Iterator[_Row]:
    table = open_table(path, place.of_path)
    places = {"smiles": smiles_column(path, table, place.column, place.of_column)}
    for name, column in wanted.items():
        places[name] = find_column(path, table.names, column, "prepare.targets")
    lower = [name.lower() for name in table.names]
    title = next((lower.index(name) for name in NAMES if name in lower), None)
    if title is not None and not wanted:
        places["name"] = title
    for number, fields, problem in table.rows:
        # To every reader of a table a bare carriage return is the end of a line.
        texts = {name: fields[k].replace("\r", " ").strip() for name, k in places.items()}
        yield number, problem, texts


def _gathered(place: Place, parts: list[Iterator[_Row]]) -> Listed:
    rows = [row for part in parts for row in part]
    name = " and ".join(path.name for path in place.paths)
    if not rows:
        raise UserError(f"{name}: a header and no rows; give at least one molecule a line")
    numbers, problems, fields = zip(*rows, strict=True)
    columns = {key: [row[key] for row in fields] for key in fields[0]}
    return Listed(name, columns, list(numbers), list(problems))
