"""Labels of NIfTI volumes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..prepare.arrays import Format
from ..prepare.reading import suffix_of
from .files import label_type


def is_volume(path: Path) -> bool:
    """Whether the labels of a file are to be a NIfTI file, as it is itself."""
    return suffix_of(path) in (".nii", ".nii.gz")


def write_volume(path: Path, pages: Sequence[Any], highest: int, like: Path, form: Format) -> None:
    """Write the labels (H, W) of a volume's slices in the shape and space of the file `like`."""
    import nibabel

    image = nibabel.load(like)
    kind = label_type(highest)
    slices = [page[:, :].astype(kind) for page in pages]
    labels = np.stack(slices, axis=form.slice_axis)
    labels = labels.reshape(image.shape)  # further axes have length 1
    header = image.header.copy()
    header.set_data_dtype(kind)
    header.set_slope_inter(1, 0)
    nibabel.save(type(image)(labels, image.affine, header), path)
