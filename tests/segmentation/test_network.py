import numpy as np
import pytest
import torch

from domains.segmentation.predict.network import Segmentation
from domains.segmentation.train.unet import UNet
from tests.segmentation.cases import form


def segmentation(padding: str, tile: int, views: int = 1) -> Segmentation:
    torch.manual_seed(0)
    network = UNet(1, 3, 4, 2, 0.0, False, padding).eval()
    return Segmentation(network.to(memory_format=torch.channels_last), form(), tile, 64, views)


def picture(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random((*shape, 1)).astype(np.float32)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("views", [1, 8])
def test_the_size_of_tiles_does_not_matter(padding, views):
    image = picture(150, 210)
    many, one = (segmentation(padding, tile, views)(image) for tile in (64, 512))
    assert many.shape == (3, 150, 210)
    np.testing.assert_allclose(many.sum(axis=0), 1, atol=1e-6)
    np.testing.assert_allclose(many, one, atol=1e-5)


def test_half_precision_only_where_it_is_asked_for(monkeypatch):
    image = picture(70, 90)
    said = {}
    for precision in ("", "32-true", "bf16-mixed"):
        monkeypatch.setenv("SCISTAGE_PRECISION", precision)
        said[precision] = segmentation("same", 64)(image)
        assert said[precision].dtype == np.float32
    np.testing.assert_array_equal(said[""], said["32-true"])
    assert 0 < np.abs(said[""] - said["bf16-mixed"]).max() < 0.05
    np.testing.assert_allclose(said["bf16-mixed"].sum(axis=0), 1, atol=1e-6)  # softmax is exact
