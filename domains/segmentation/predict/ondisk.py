"""Arrays that need not fit into memory: raw files, and large images opened as such."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike


@dataclass(frozen=True)
class OnDisk:
    """A raw array in a file.

    The map is opened anew for each part that is read or written: pages that were touched through
    one map stay in the process's memory as long as the map lives.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int = 0

    @classmethod
    def new(cls, path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> "OnDisk":
        """An array of zeros in a new file, which takes no room before it is written to."""
        kind = np.dtype(dtype)
        with path.open("xb") as file:
            file.truncate(int(np.prod(shape, dtype=np.int64)) * kind.itemsize)
        return cls(path, shape, kind)

    def __getitem__(self, key: Any) -> np.ndarray:
        return np.array(self._open("r")[key])

    def __setitem__(self, key: Any, values: np.ndarray) -> None:
        self._open("r+")[key] = values

    def __len__(self) -> int:
        return self.shape[0]

    def _open(self, mode: Any) -> np.ndarray:
        return np.memmap(self.path, self.dtype, mode, self.offset, self.shape)
