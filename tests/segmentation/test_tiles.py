import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from domains.segmentation.predict.tiles import assembled, averaged, tiled
from domains.segmentation.train.unet import UNet


def picture(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape).astype(np.float32)


def whole(network, image, tile, margin, **how) -> np.ndarray:
    def run(window):
        with torch.no_grad():
            return network(window)

    return assembled(tiled(run, image, tile, margin, **how), image.shape)


@pytest.mark.parametrize("shape", [(64, 64), (65, 200), (7, 130), (1, 1), (333, 129)])
@pytest.mark.parametrize("margin", [0, 64])
def test_an_identity_network_gives_the_image_back(shape, margin):
    image = picture(*shape, 2)
    np.testing.assert_array_equal(whole(nn.Identity(), image, 64, margin), image.transpose(2, 0, 1))


def test_tiles_give_the_whole_image_at_once():
    """With a margin not below the network's reach, also at the image's mirrored edge."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, padding=1),
        nn.ConvTranspose2d(4, 2, 2, 2),
    )
    image = picture(200, 260, 1)
    many, one = whole(net, image, 64, 64), whole(net, image, 512, 64)
    np.testing.assert_allclose(many, one, atol=1e-6)
    assert np.abs(whole(net, image, 64, 0) - one).max() > 1e-3  # the margin makes them equal


@pytest.mark.parametrize("shape", [(64, 64), (65, 200), (7, 130), (1, 1)])
@pytest.mark.parametrize("lost", [1, 5, 40])
def test_a_network_that_crops_gives_the_image_back(shape, lost):
    """Also if its input must be of a certain size, odd or even."""
    image = picture(*shape, 1)
    seen = []

    def crop(window):
        seen.append(window.shape[2:])
        return window[:, :, lost:-lost, lost:-lost]

    def fits(size: int) -> int:
        return size + (3 - size) % 7

    np.testing.assert_array_equal(whole(crop, image, 64, 40, fits=fits)[0], image[..., 0])
    assert {edge % 7 for edges in seen for edge in edges} == {3}


def test_a_network_that_crops_more_than_the_margin_is_refused():
    with pytest.raises(ValueError, match="margin 2"):
        whole(lambda x: x[:, :, 3:-3, 3:-3], picture(20, 20, 1), 64, 2)


def test_valid_convolutions_give_the_mirrored_image_at_once():
    torch.manual_seed(0)
    net = nn.Conv2d(1, 2, 5)
    image = picture(150, 90, 1)
    padded = functional.pad(torch.from_numpy(image[None, ..., 0])[None], (2, 2, 2, 2), "reflect")
    with torch.no_grad():
        expected = net(padded)[0].numpy()
    np.testing.assert_allclose(whole(net, image, 64, 2), expected, atol=1e-6)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_unet_says_the_same_with_small_and_large_tiles(padding):
    torch.manual_seed(0)
    net = UNet(1, 2, 4, 2, 0.0, False, padding).eval()
    image, margin = picture(150, 210, 1), max(64, net.shrink)
    many, one = (whole(net, image, tile, margin, fits=net.fits) for tile in (64, 256))
    np.testing.assert_allclose(many, one, atol=1e-5)


def test_the_border_is_mirrored():
    seen = []

    def spy(window):
        seen.append(window)
        return window

    image = np.arange(12.0, dtype=np.float32).reshape(3, 4, 1)
    whole(spy, image, 64, 64)
    window = seen[0][0, 0].numpy()
    np.testing.assert_array_equal(window[64:67, 64:68], image[..., 0])
    np.testing.assert_array_equal(window[64, 61:64], image[0, [3, 2, 1], 0])
    np.testing.assert_array_equal(window[67, 64:68], image[1, :, 0])


@pytest.mark.parametrize("views", [1, 4, 8])
def test_views_are_turned_back(views):
    window = torch.from_numpy(picture(1, 2, 37, 52))
    torch.testing.assert_close(averaged(nn.Identity(), views)(window), window.softmax(dim=1))


def test_with_eight_views_a_turned_image_gives_a_turned_answer():
    torch.manual_seed(0)
    net = nn.Conv2d(1, 2, 5, padding=2)
    image = picture(64, 64, 1)
    turned = np.rot90(image, axes=(0, 1)).copy()
    here, there = (whole(averaged(net, 8), i, 64, 64) for i in (image, turned))
    np.testing.assert_allclose(np.rot90(here, axes=(1, 2)), there, atol=1e-5)
    alone, other = (whole(averaged(net, 1), i, 64, 64) for i in (image, turned))
    assert np.abs(np.rot90(alone, axes=(1, 2)) - other).max() > 1e-3
