"""Reading and writing what stages hand over, so that the same values give the same bytes."""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pipelines.core.bombs import is_bomb
from pipelines.core.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def is_text(text: str) -> bool:
    """Whether it can be written to a table: names of files may hold bytes that are no UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def write_json(path: Path, value: Any) -> None:
    """Write what `json_text` makes of a value.

    Raises:
        UserError: a number is not finite.
    """
    try:
        text = json_text(value)
    except UserError as error:
        raise UserError(f"{path.name}: {error}") from None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def json_text(value: Any) -> str:
    """JSON in key order as given, floats to six significant digits.

    Raises:
        UserError: a number is not finite, which JSON has no word for.
    """
    wrong = _not_finite(value)
    if wrong:
        raise UserError(f"{wrong}; a finite number is needed: leave it out")
    return json.dumps(_rounded(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run `scistage repro`") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not JSON ({error}); delete it and run `scistage repro`") from None


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table without its index, floats to six significant digits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


def read_csv(path: Path, text: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read a table of a stage; only an empty field is a missing value: a class may be called 'NA'.

    Args:
        path: of the table.
        text: columns to be kept as they are written, so that '007' stays '007'.

    Raises:
        UserError: the file is missing, empty or damaged.
    """
    return _table(path, text, "run `scistage repro`", "delete it and run `scistage repro`")


def read_user_csv(path: Path, text: tuple[str, ...] = ()) -> pd.DataFrame:
    """The same of a table of the user's."""
    return _table(path, text, "name a table", "save it as CSV, in UTF-8")


def _table(path: Path, text: tuple[str, ...], if_missing: str, if_damaged: str) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_csv(
            path, keep_default_na=False, na_values=[""], dtype=dict.fromkeys(text, str)
        )
    except FileNotFoundError:
        raise UserError(f"{path}: not found; {if_missing}") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a CSV table: {error}; {if_damaged}") from None


def read_array(path: Path) -> np.ndarray:
    """An array that a stage wrote with `numpy.save`, memory-mapped.

    Raises:
        UserError: the file is missing or damaged.
    """
    import numpy as np

    try:
        return np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run `scistage repro`") from None
    except (ValueError, OverflowError) as error:
        raise UserError(f"{path}: no array ({error}); delete it and run `scistage repro`") from None


def read_arrays(path: Path, *names: str) -> dict[str, np.ndarray]:
    """Arrays of these names in a file that `numpy.savez` wrote.

    Raises:
        UserError: the file is missing or damaged, lacks one, or is a decompression bomb.
    """
    import numpy as np

    again = "delete it and run `scistage repro`"
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if is_bomb(path.stat().st_size, size):
                raise UserError(f"{path}: grows to {size:.1e} bytes, a decompression bomb; {again}")
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names}
    except FileNotFoundError:
        raise UserError(f"{path}: not found; run `scistage repro`") from None
    except (ValueError, KeyError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: not the arrays of a stage ({error}); {again}") from None


def holds_objects(path: Path) -> bool:
    """Whether an array file (.npy, .npz) holds Python objects, which NumPy pickles.

    Raises:
        UserError: it is no such file.
    """
    try:
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if name.endswith(".npy")]
                return any(_is_object_array(archive.open(name)) for name in names)
        with path.open("rb") as file:
            return _is_object_array(file)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path.name}: not what `numpy.save` or `savez` writes ({error})") from None


def _is_object_array(file: IO[bytes]) -> bool:
    import numpy as np

    form = np.lib.format
    first = form.read_magic(file) == (1, 0)
    read_header = form.read_array_header_1_0 if first else form.read_array_header_2_0
    return bool(read_header(file)[2].hasobject)


def _not_finite(value: Any, name: str = "") -> str:
    """The first number that is not finite, as `mae: found nan`; empty if there is none."""
    if isinstance(value, dict):
        dot = f"{name}." if name else ""
        found = (_not_finite(item, f"{dot}{key}") for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        found = (_not_finite(item, f"{name}[{k}]") for k, item in enumerate(value))
    else:
        number = value.item() if getattr(value, "ndim", None) == 0 else value
        wrong = isinstance(number, float) and not math.isfinite(number)
        return f"{name}: found {number}" if wrong else ""
    return next(filter(None, found), "")


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:  # a NumPy scalar
        value = value.item()
    return float(f"{value:.6g}") if isinstance(value, float) else value
