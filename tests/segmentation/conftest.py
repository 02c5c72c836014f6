"""Fixtures of the segmentation tests."""

import numpy as np
import pytest
import tifffile

from tests.segmentation.cases import discs, sample


@pytest.fixture
def data(tmp_path):
    """Eight grey images of different sizes with two objects each."""
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for k in range(8):
        mask = discs((30 + k, 40), (10, 10, 5), (20, 28, 6))
        image = sample(mask).image[..., 0] + k
        tifffile.imwrite(tmp_path / "images" / f"{k}.tif", image.astype(np.uint16))
        tifffile.imwrite(tmp_path / "masks" / f"{k}.tif", mask.astype(np.uint8))
    return tmp_path
