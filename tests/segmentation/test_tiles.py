import numpy as np
import pytest
import torch
from torch import nn

from domains.segmentation.predict.tiles import probabilities, tiled


@pytest.mark.parametrize("shape", [(64, 64), (65, 200), (7, 130), (1, 1), (333, 129)])
@pytest.mark.parametrize("margin", [0, 64])
def test_an_identity_network_gives_the_image_back(shape, margin):
    image = torch.rand(2, *shape)
    assert torch.equal(tiled(nn.Identity(), image, 64, margin), image)


def test_tiles_give_the_whole_image_at_once():
    """With a margin not below the network's reach, also at the image's mirrored edge."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, padding=1),
        nn.ConvTranspose2d(4, 2, 2, 2),
    )
    image = torch.rand(1, 200, 260)
    with torch.no_grad():
        many, one = tiled(net, image, 64, 64), tiled(net, image, 512, 64)
        bare = tiled(net, image, 64, 0)
    torch.testing.assert_close(many, one)
    assert not torch.allclose(bare, one, atol=1e-3)  # the margin is what makes them equal


def test_the_border_is_mirrored():
    seen = []

    def spy(window):
        seen.append(window)
        return window

    image = torch.arange(12.0).reshape(1, 3, 4)
    tiled(spy, image, 64, 64)
    window = seen[0][0, 0]
    assert torch.equal(window[64:67, 64:68], image[0])
    assert torch.equal(window[64, 61:64], image[0, 0, [3, 2, 1]])
    assert torch.equal(window[67, 64:68], image[0, 1])


@pytest.mark.parametrize("views", [1, 4, 8])
def test_views_are_turned_back(views):
    image = np.random.default_rng(0).random((37, 52, 2)).astype(np.float32)
    expected = torch.from_numpy(image.transpose(2, 0, 1)).softmax(dim=0).numpy()
    np.testing.assert_allclose(
        probabilities(nn.Identity(), image, 64, 0, views), expected, atol=1e-6
    )


def test_with_eight_views_a_turned_image_gives_a_turned_answer():
    torch.manual_seed(0)
    net = nn.Conv2d(1, 2, 5, padding=2)
    image = np.random.default_rng(0).random((64, 64, 1)).astype(np.float32)
    here = probabilities(net, image, 64, 64, 8)
    there = probabilities(net, np.rot90(image, axes=(0, 1)).copy(), 64, 64, 8)
    np.testing.assert_allclose(np.rot90(here, axes=(1, 2)), there, atol=1e-5)
    alone = probabilities(net, image, 64, 64, 1)
    turned = probabilities(net, np.rot90(image, axes=(0, 1)).copy(), 64, 64, 1)
    assert np.abs(np.rot90(alone, axes=(1, 2)) - turned).max() > 1e-3
