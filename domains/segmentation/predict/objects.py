"""Tables of objects, from sums over parts of an image: the same for one part as for a thousand."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .seams import Part

ADDED = ["area", "y", "x", "intensity", "confidence"]
LOWEST, HIGHEST = ["top", "left"], ["bottom", "right"]


def sums(part: Part, count: int, values: dict[str, np.ndarray]) -> pd.DataFrame:
    """One line for each label 1 … `count` of a part, of area 0 if it does not occur.

    values: "class", "intensity" and "confidence" of the pixels that have a label, in row-major
    order. Columns: "class", the sums ADDED over the pixels, and the box.
    """
    y, x = np.nonzero(part.labels)
    which = part.labels[y, x] - 1
    y, x = y + part.corner[0], x + part.corner[1]
    summed = {"area": None, "y": y, "x": x, **{k: values[k] for k in ("intensity", "confidence")}}
    table = {k: np.bincount(which, v, minlength=count) for k, v in summed.items()}
    for name, places in zip(LOWEST, (y, x), strict=True):
        table[name] = np.full(count, np.iinfo(np.int64).max)
        np.minimum.at(table[name], which, places)
    for name, places in zip(HIGHEST, (y, x), strict=True):
        table[name] = np.zeros(count, dtype=np.int64)
        np.maximum.at(table[name], which, places + 1)
    table["class"] = np.zeros(count, dtype=np.int64)
    table["class"][which] = values["class"]
    return pd.DataFrame(table)


def merged(parts: pd.DataFrame, pairs: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    """Objects out of the lines of all parts, and which of them each line belongs to.

    parts: the lines of `sums` one after the other, of numbers 1 … N; pairs: (P, 2) numbers that
    are the same object. Returns the merged lines, in the order in which an object first has
    pixels, and (N + 1,) the object 1 … M of each number, 0 where it has no pixels.
    """
    count = len(parts) + 1
    links = coo_array((np.ones(len(pairs), dtype=bool), pairs.T), shape=(count, count))
    _, roots = connected_components(links, directed=False)
    numbers = np.flatnonzero(parts["area"]) + 1
    codes, _ = pd.factorize(roots[numbers])
    how = dict.fromkeys(ADDED, "sum") | dict.fromkeys(LOWEST, "min") | dict.fromkeys(HIGHEST, "max")
    table = parts.iloc[numbers - 1].groupby(codes).agg({"class": "first", **how})
    objects = np.zeros(count, dtype=np.int32)
    objects[numbers] = codes + 1
    return table, objects


def described(
    table: pd.DataFrame, labels: str, pixel_um: tuple[float, float] | None
) -> pd.DataFrame:
    """objects.csv's lines of one plane: the sums of its objects as areas, centroids and means.

    labels: what masks hold, see `Format`; pixel_um: distance between rows and between columns.
    """
    area = table["area"]
    said = {"id": np.arange(1, len(table) + 1)}
    if labels != "instances":
        said["class"] = table["class"]
    said["area_px"] = area.astype(int)
    if pixel_um is not None:
        said["area_um2"] = area * (pixel_um[0] * pixel_um[1])
    said |= {f"centroid_{axis}": table[axis] / area for axis in "yx"}
    said |= {edge: table[edge] for edge in LOWEST + HIGHEST}
    said |= {f"mean_{k}": table[k] / area for k in ("intensity", "confidence")}
    return pd.DataFrame(said)
