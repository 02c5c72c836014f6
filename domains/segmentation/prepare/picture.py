"""What a file of pictures holds, and how many pixels of it are believed."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.core.bombs import is_bomb
from pipelines.core.errors import UserError

# Above this a header is taken for a decompression bomb, not for a microscope's.
PIXELS = 2_000_000_000


@dataclass(frozen=True)
class Picture:
    """All planes of one file.

    planes: (H, W, C) arrays of the file's own type, one for an ordinary picture, many for a
    multi-page TIFF, a NIfTI volume or a multi-frame DICOM file; of a mask (H, W) int32.
    spacing_um: distance between rows and between columns, None where the file does not say.
    group: the patient, where the file names one. affine: NIfTI's (4, 4), voxel to space.
    traits: what may forbid a use: "palette", "alpha", "1 bit", "lossy", "white".
    """

    planes: list[np.ndarray]
    spacing_um: tuple[float, float] | None = None
    group: str | None = None
    affine: np.ndarray | None = None
    traits: frozenset[str] = frozenset()

    @property
    def square(self) -> bool:
        """Whether rows and columns are equally far apart, within 1 %, as far as is known."""
        return self.spacing_um is None or same_size(*self.spacing_um)

    @property
    def pixel_size_um(self) -> float | None:
        """Edge of a pixel, None where the file does not say or pixels are not square."""
        if self.spacing_um is None or not self.square:
            return None
        return sum(self.spacing_um) / 2


def same_size(one: float, other: float) -> bool:
    """Whether two lengths agree within 1 %."""
    return abs(one - other) <= 0.01 * max(one, other)


def spacing(rows: float, columns: float, unit_um: float) -> tuple[float, float] | None:
    """Distances in µm, None if they are no lengths."""
    both = (float(rows) * unit_um, float(columns) * unit_um)
    return both if all(np.isfinite(v) and v > 0 for v in both) else None


def refuse_bomb(path: Path, pixels: int, itemsize: float) -> None:
    """UserError for a file whose header declares more than its bytes hold, before decoding."""
    size = path.stat().st_size
    if pixels > PIXELS or is_bomb(size, pixels * itemsize):
        raise UserError(
            f"{path}: declares {pixels:.3g} pixels in {size} bytes, a decompression "
            f"bomb or a damaged header; save it again, in parts of at most {PIXELS:.0e} pixels"
        )
