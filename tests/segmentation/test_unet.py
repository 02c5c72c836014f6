from itertools import pairwise

import numpy as np
import pytest
import torch

from domains.segmentation.train.module import Segmenter, soft_dice_loss, weighted_cross_entropy
from domains.segmentation.train.unet import UNet

SMALL = {
    "channels": 1,
    "classes": 3,
    "base": 4,
    "depth": 3,
    "dropout": 0.0,
    "norm": True,
    "padding": "same",
}


def network(**changes) -> UNet:
    torch.manual_seed(0)
    return UNet(**{**SMALL, **changes})


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 47), (8, 64), (1, 5)])
def test_output_has_the_size_of_any_input(height, width):
    with torch.no_grad():
        assert network().eval()(torch.zeros(2, 1, height, width)).shape == (2, 3, height, width)


def test_the_papers_network_has_31_million_parameters():
    with torch.device("meta"):
        paper = UNet(
            channels=1, classes=2, base=64, depth=4, dropout=0.5, norm=False, padding="valid"
        )
    # From figure 1: kernels of 3x3, of 2x2 going up and of 1x1 at the end, each with a bias.
    down = sum(9 * i * o + o + 9 * o * o + o for i, o in _pairs([1, 64, 128, 256, 512, 1024]))
    up = sum(4 * i * o + o for o, i in _pairs([64, 128, 256, 512, 1024]))
    merge = sum(9 * i * o + o + 9 * o * o + o for o, i in _pairs([64, 128, 256, 512, 1024]))
    assert sum(p.numel() for p in paper.parameters()) == down + up + merge + 64 * 2 + 2
    assert round(sum(p.numel() for p in paper.parameters()) / 1e6, 1) == 31.0


def _pairs(widths):
    return list(pairwise(widths))


def test_valid_padding_gives_the_papers_sizes():
    paper = network(depth=4, base=1, padding="valid")
    with torch.no_grad():
        assert paper(torch.zeros(1, 1, 572, 572)).shape == (1, 3, 388, 388)  # figure 1
    assert paper.shrink == 92
    assert paper.fits(572) == 572 and paper.fits(573) == 588


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_size_that_fits_gives_every_pixel_but_the_margin(depth):
    net = network(depth=depth, padding="valid").eval()
    for wanted in (1, 50, 97):
        size = net.fits(wanted)
        with torch.no_grad():
            edge = net(torch.zeros(1, 1, size, size)).shape[-1]
        assert size >= wanted and edge == size - 2 * net.shrink > 0


def test_with_valid_padding_no_pixel_depends_on_where_the_image_ends():
    net = network(depth=2, padding="valid").eval()
    picture = torch.randn(1, 1, 100, 100)
    with torch.no_grad():
        whole, part = net(picture), net(picture[:, :, 8:, 16:])
    torch.testing.assert_close(whole[:, :, 8:, 16:], part)


def test_the_dice_loss_of_a_known_overlap():
    truth = torch.zeros(1, 10, 10, dtype=torch.long)
    truth[:, :, :6] = 1  # 60 px
    sure = torch.zeros(1, 2, 10, 10)
    sure[:, 1, :, :4] = sure[:, 0, :, 4:] = 50.0  # says 40 px, all of them right
    ones = torch.ones(1, 10, 10)
    assert soft_dice_loss(sure, truth, ones).item() == pytest.approx(1 - 81 / 101)
    ones[:, :, 4:] = 0  # what it does not find is not annotated
    assert soft_dice_loss(sure, truth, ones).item() == pytest.approx(0)


@pytest.mark.parametrize("loss", ["cross_entropy", "dice_cross_entropy"])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_every_choice_learns_a_single_batch(loss, padding):
    torch.manual_seed(0)
    module = Segmenter({**SMALL, "depth": 2, "padding": padding}, loss, 0.01, 0.0, 40)
    module.log = lambda *_, **__: None
    images = torch.rand(2, 1, 60, 60)
    classes = (images[:, 0] > 0.5).long()
    batch = images, classes, torch.ones(classes.shape)
    optimizer = torch.optim.Adam(module.parameters(), 0.01)
    losses = []
    for _ in range(40):
        losses.append(module.training_step(batch, 0))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.5 * losses[0]


def test_a_shift_by_the_pooling_shifts_the_output():
    net = network().eval()
    image = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 1, 256, 256))).float()
    with torch.no_grad():
        here, there = net(image), net(image.roll((8, 16), (2, 3)))
    inside = np.s_[:, :, 80:-80, 80:-80]
    torch.testing.assert_close(here.roll((8, 16), (2, 3))[inside], there[inside])
    assert not torch.allclose(here[inside], there[inside], atol=1e-3)


def test_he_initialisation_keeps_the_variance():
    torch.manual_seed(0)
    block = network(base=64, depth=1, norm=False).down[0]
    x = torch.relu(torch.randn(1, 64, 64, 64))
    with torch.no_grad():
        y = block[2](x)  # the second convolution, before its ReLU
    # Var(y) = N · Var(w) · E[x²] = 2 · E[x²], He et al. 2015, equation 8.
    assert y.var().item() == pytest.approx(2 * x.square().mean().item(), rel=0.1)


def test_ignored_pixels_have_no_gradient_and_others_have():
    logits = torch.randn(2, 3, 8, 8, requires_grad=True)
    weights = torch.ones(2, 8, 8)
    weights[:, 2:5] = 0
    loss = weighted_cross_entropy(logits, torch.randint(3, (2, 8, 8)), weights)
    loss.backward()
    assert (logits.grad[:, :, 2:5] == 0).all()
    assert (logits.grad[:, :, :2] != 0).all()


def test_loss_is_torchs_cross_entropy_where_all_weigh_the_same():
    logits, classes = torch.randn(2, 3, 8, 8), torch.randint(3, (2, 8, 8))
    ours = weighted_cross_entropy(logits, classes, torch.full((2, 8, 8), 7.0))
    torch.testing.assert_close(ours, torch.nn.functional.cross_entropy(logits, classes))


def test_a_batch_of_ignored_pixels_only_is_no_nan():
    loss = weighted_cross_entropy(
        torch.randn(1, 3, 4, 4), torch.zeros(1, 4, 4, dtype=torch.long), torch.zeros(1, 4, 4)
    )
    assert loss.item() == 0


def test_the_validation_dice_is_of_annotated_pixels():
    module = Segmenter(SMALL, "cross_entropy", 0.01, 0.0, 40)
    logged = {}
    module.log = lambda name, value, **_: logged.update({name: float(value)})
    said, truth = torch.tensor([[[1, 0, 0, 1]]]), torch.tensor([[[1, 1, 0, 0]]])
    logits = torch.nn.functional.one_hot(said, 3).movedim(-1, 1).float()
    module.forward = lambda images: logits
    module.on_validation_epoch_start()
    weights = torch.tensor([[[1.0, 1, 1, 0]]])
    module.validation_step((torch.zeros(1, 1, 1, 4), truth, weights), 0)
    module.on_validation_epoch_end()
    assert logged["val_dice"] == pytest.approx(2 / 3)


def test_step_runs_under_deterministic_algorithms_and_lowers_the_loss():
    torch.manual_seed(0)
    module = Segmenter(SMALL, "cross_entropy", 0.02, 0.0, 21)
    classes = torch.zeros(2, 31, 33, dtype=torch.long)
    classes[:, 10:20, 10:20] = 1
    images = classes[:, None].float() + 0.1 * torch.randn(2, 1, 31, 33)
    configured = module.configure_optimizers()
    optimizer, schedule = configured["optimizer"], configured["lr_scheduler"]["scheduler"]
    losses = []
    torch.use_deterministic_algorithms(True)
    try:
        for _ in range(20):
            loss = weighted_cross_entropy(module(images), classes, torch.ones(2, 31, 33))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
    finally:
        torch.use_deterministic_algorithms(False)
    assert losses[-1] < 0.5 * losses[0]
