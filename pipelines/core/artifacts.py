"""Reading and writing what stages hand over, so that the same values give the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd


def write_json(path: Path, value: Any) -> None:
    """Write JSON in key order as given, floats to six significant digits, no NaN."""
    text = json.dumps(_rounded(value), indent=2, ensure_ascii=False, allow_nan=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run `scistage repro`") from None
    except ValueError as error:
        raise UserError(f"{path}: not JSON ({error}); delete it and run `scistage repro`") from None


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table without its index, floats to six significant digits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


def read_csv(path: Path, text: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read a table; only an empty field is a missing value, so a class may be called 'NA'.

    Args:
        path: of the table.
        text: columns to be kept as they are written, so that '007' stays '007'.

    Raises:
        UserError: the file is missing, empty or damaged.
    """
    import pandas as pd

    try:
        return pd.read_csv(
            path, keep_default_na=False, na_values=[""], dtype=dict.fromkeys(text, str)
        )
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run `scistage repro`") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a CSV table: {error}") from None


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:  # a NumPy scalar
        value = value.item()
    return float(f"{value:.6g}") if isinstance(value, float) else value
