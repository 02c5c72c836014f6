"""Your own photographs: a table that names the files, the patients, and what is known of them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd

from pipelines.core.errors import UserError
from pipelines.data.sources import sha256_of

from .arrays import Account, Target
from .params import PrepareParams, TargetColumn
from .photographs import Listed, check_photographs, write_photographs
from .tables import read_table, require_columns, require_inside

_UNKNOWN = {"na", "n/a", "nan", "null", "unknown", "missing", "?", "-"}
_EYES = {"left": "left", "l": "left", "os": "left", "right": "right", "r": "right", "od": "right"}


def write(params: PrepareParams, out: Path) -> Account:
    """Write images.npy, eyes.csv and targets.json; return what was left out."""
    return write_photographs(listed(params), params, out)


def check(params: PrepareParams) -> None:
    """The table, and that every photograph is there and in a format that is read."""
    check_photographs(listed(params))


def files(params: PrepareParams) -> dict[str, str]:
    """SHA-256 of the table and of every photograph, by the name the table gives it."""
    table = listed(params).table.sort_values("image")
    path = Path(params.path or "")
    named = zip(table["image"], table["path"], strict=True)
    return {path.name: sha256_of(path), **{name: sha256_of(file) for name, file in named}}


def about(params: PrepareParams, table: pd.DataFrame) -> dict[str, Any]:
    """The card's description of the data."""
    name = Path(params.path or "").name
    targets = ", ".join(target.name for target in params.targets)
    return {
        "title": f"Photographs of {name}",
        "description": (
            f"{len(table)} photographs of {table['patient'].nunique()} patients of your own, with "
            f"{targets}. No medical device."
        ),
        "synthetic": False,
        "source": {
            "name": f"table {name}",
            "licence": "as stated by its owner",
            "citation": "none",
        },
        "notes": [] if params.eye_column else ["Which eye a photograph shows is not known."],
    }


def listed(params: PrepareParams) -> Listed:
    """The photographs as the table lists them.

    Raises UserError for the first field that cannot be used.
    """
    path = Path(params.path or "")
    table = read_table(path)
    _require_columns(path, table, params)
    found = pd.DataFrame(
        {
            "patient": table[params.patient_column],
            "eye": _eyes(path, table, params.eye_column),
            "image": table[params.image_column],
        }
    )
    _require_fields(path, found, params)
    require_inside(path, table, params.image_column)
    found["path"] = [path.parent / name for name in found["image"]]
    for target in params.targets:
        found[target.name] = _column(path, table[target.column], target)
    targets = [Target(t.name, t.kind, t.unit, t.positive) for t in params.targets]
    return Listed(found, targets)


def _require_columns(path: Path, table: pd.DataFrame, params: PrepareParams) -> None:
    mend = {target.column: "correct retina.prepare.targets" for target in params.targets}
    for key in ("image_column", "patient_column"):
        mend[getattr(params, key)] = f"correct retina.prepare.{key}"
    if params.eye_column:
        mend[params.eye_column] = (
            "correct retina.prepare.eye_column, or leave it empty if the side is not known"
        )
    require_columns(path, table, mend)


def _require_fields(path: Path, found: pd.DataFrame, params: PrepareParams) -> None:
    columns = {"patient": params.patient_column, "image": params.image_column}
    for key, column in columns.items():
        empty = found.index[found[key] == ""]
        if len(empty):
            raise UserError(f"{path}: row {empty[0] + 2}: {column!r} is empty; fill it in")
    twice = found[found["image"].duplicated()]
    if len(twice):
        name = twice["image"].iloc[0]
        raise UserError(f"{path}: row {twice.index[0] + 2}: {name!r} is listed twice; remove one")


def _eyes(path: Path, table: pd.DataFrame, column: str | None) -> pd.Series:
    if column is None:
        return pd.Series("", index=table.index)
    sides = table[column].str.lower()
    for row, side in sides.items():
        if side and side not in _EYES:
            raise UserError(
                f"{path}: row {row + 2}: {column!r}: found {table[column][row]!r}; write left or "
                "right, or leave it empty"
            )
    return sides.map(lambda side: _EYES.get(side, ""))


def _column(path: Path, column: pd.Series, target: TargetColumn) -> list[float]:
    if target.kind == "value":
        return [_number(path, row, text, target) for row, text in column.items()]
    unknown = _UNKNOWN - {target.positive.lower(), "-" if target.positive == "+" else ""}
    for row, text in column.items():
        if text.lower() in unknown:
            raise UserError(
                f"{path}: row {row + 2}: {target.column!r}: found {text!r}; leave the field empty "
                "where it is not known"
            )
    classes = sorted(set(column) - {""})
    if len(classes) > 2:
        raise UserError(
            f"{path}: {target.column!r}: {len(classes)} classes ({', '.join(classes[:4])} …); a "
            "binary target has two, and an empty field where it is not known"
        )
    if target.positive not in classes:
        raise UserError(
            f"{path}: {target.column!r}: no field is {target.positive!r}, which counts as 1; there "
            f"are {', '.join(map(repr, classes)) or 'none'}"
        )
    return [math.nan if text == "" else float(text == target.positive) for text in column]


def _number(path: Path, row: Any, text: str, target: TargetColumn) -> float:
    if text == "":
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(
            f"{path}: row {row + 2}: {target.column!r}: found {text!r}; a number is needed, or an "
            "empty field where it is unknown"
        )
    return value
