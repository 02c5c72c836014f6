"""By how much an output of one run differs from the same output of another."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]


def first_difference(ours: Path, theirs: Path) -> str:
    """The first file that differs of a folder, or the file itself, and by how much; "" if none.

    ours: of this project, may be missing; theirs: of the rerun.
    """
    if not ours.exists():
        return "(not here to compare)"
    if theirs.is_file():
        same = ours.read_bytes() == theirs.read_bytes()
        return "" if same else f"({how_far(ours, theirs)})"
    names = {path.relative_to(top) for top in (ours, theirs) for path in _files(top)}
    for name in sorted(names):
        for top, where in ((ours, "here"), (theirs, "in the rerun")):
            if not (top / name).is_file():
                return f"(first: {name}: not {where})"
        if (ours / name).read_bytes() != (theirs / name).read_bytes():
            return f"(first: {name}: {how_far(ours / name, theirs / name)})"
    return ""


def how_far(ours: Path, theirs: Path) -> str:
    """Of two files that differ: which array does most and by how much, absolutely and relatively.

    The relative difference of two numbers is that by the larger of them. Of files that are no
    arrays of a known format, and of those that cannot be read: the first byte that differs.
    """
    read = _READERS.get(ours.suffix)
    try:
        if read:
            return _largest(read(ours), read(theirs))
    except Exception:  # of whatever library: a damaged file is compared by its bytes
        pass
    pairs = zip(ours.read_bytes(), theirs.read_bytes(), strict=False)
    same = next((k for k, (a, b) in enumerate(pairs) if a != b), None)
    return "one is longer" if same is None else f"from byte {same}"


def _largest(ours: Arrays, theirs: Arrays) -> str:
    for name in [*ours, *theirs]:
        if name not in ours or name not in theirs:
            return f"{name}: only {'here' if name in ours else 'in the rerun'}"
        a, b = ours[name], theirs[name]
        if (a.shape, a.dtype) != (b.shape, b.dtype):
            return f"{name}: {a.dtype} {a.shape} here, {b.dtype} {b.shape} in the rerun"
    found = [(*_gap(a, theirs[name]), name) for name, a in ours.items()]
    found = [(far, text, name) for far, text, name in found if text]
    if not found:
        return "the same values, written differently"
    _, text, name = max(found, key=lambda one: one[0])
    others = f" (and {len(found) - 1} more arrays)" if len(found) > 1 else ""
    return f"{name}: {text}{others}"


def _gap(a: np.ndarray, b: np.ndarray) -> tuple[float, str]:
    """The largest absolute difference, infinite where one is no number, and what to say of it."""
    import numpy as np

    unlike = (a != b) & ~((a != a) & (b != b))  # NaN is like NaN
    text = f"{np.count_nonzero(unlike)} of {a.size} entries"
    if not unlike.any():
        return 0.0, ""
    if a.dtype.kind not in "biuf":
        return np.inf, text
    x, y = a[unlike].astype(float), b[unlike].astype(float)
    with np.errstate(invalid="ignore"):
        gap = np.abs(x - y)
        relative = gap / np.maximum(np.abs(x), np.abs(y))
    far, ratio = (float(np.nan_to_num(one, nan=np.inf).max()) for one in (gap, relative))
    return far, f"{text}, at most {far:.3g}, relatively {ratio:.3g}"


def _files(top: Path) -> Iterator[Path]:
    return (path for path in top.rglob("*") if path.is_file())


def _safetensors(path: Path) -> Arrays:
    from safetensors.numpy import load_file

    return load_file(path)


def _npz(path: Path) -> Arrays:
    import numpy as np

    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def _npy(path: Path) -> Arrays:
    import numpy as np

    return {"array": np.load(path, allow_pickle=False)}


def _csv(path: Path) -> Arrays:
    from pipelines.core.artifacts import read_csv

    return {str(name): column.to_numpy() for name, column in read_csv(path).items()}


def _json(path: Path) -> Arrays:
    import numpy as np

    def leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
        if isinstance(value, dict | list):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for key, item in items:
                yield from leaves(item, f"{name}.{key}" if name else str(key))
        else:
            yield name, value

    found = leaves(json.loads(path.read_text(encoding="utf-8")), "")
    return {
        name: np.array(value if isinstance(value, int | float) else str(value))
        for name, value in found
    }


def _picture(path: Path) -> Arrays:
    import numpy as np
    from PIL import Image

    with Image.open(path) as picture:
        return {"pixels": np.asarray(picture)}


def _tiff(path: Path) -> Arrays:
    from tifffile import imread

    return {"pixels": imread(path)}


_READERS: dict[str, Callable[[Path], Arrays]] = {
    ".safetensors": _safetensors,
    ".npz": _npz,
    ".npy": _npy,
    ".csv": _csv,
    ".json": _json,
    ".png": _picture,
    ".tif": _tiff,
}
