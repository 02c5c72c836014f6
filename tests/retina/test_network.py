import numpy as np
import pytest
import torch

from domains.retina.train.intensity import Colour, LocalContrast, with_noise
from domains.retina.train.lite0 import EfficientNetLite0, Same
from domains.retina.train.losses import anatomy_loss, target_losses
from domains.retina.train.module import area_under_curve, explained, rate_groups
from domains.retina.train.network import Answer, EyeNetwork, frozen_parts
from domains.retina.train.params import BLOCKS
from tests.retina.made import TARGETS


def network(**changes) -> EyeNetwork:
    about = {
        "targets": [vars(target) for target in TARGETS],
        "mean": [57.0, 137.0, 27.0, 0.0, 0.0],
        "sd": [8.0, 18.0, 4.0, 1.0, 1.0],
        "anatomy": ["crae_um", "crve_um"],
        "backbone": "small",
        "width": 8,
        "look": "local_contrast",
        "maps": 2,
        "dropout": 0.0,
        "mirror": True,
        "size": 48,
    }
    torch.manual_seed(0)
    return EyeNetwork(**{**about, **changes})


def eyes(n: int = 3, size: int = 48) -> torch.Tensor:
    return torch.randint(0, 256, (n, size, size, 3), generator=torch.manual_seed(1)).byte()


@pytest.mark.parametrize("backbone", ["small", "efficientnet_lite0"])
@pytest.mark.parametrize("size", [48, 65])
def test_answers_have_a_row_for_each_eye_and_attention_sums_to_one(backbone, size):
    net = network(backbone=backbone).eval()
    answer = net(eyes(size=size))
    assert answer.centre.shape == answer.log_variance.shape == (3, 5)
    assert answer.anatomy.shape == (3, 2)
    coarse = -(-size // 32) if backbone != "small" else size // 8
    assert answer.attention.shape[:2] == (3, 5)
    assert abs(answer.attention.shape[2] - coarse) <= 1
    torch.testing.assert_close(answer.attention.sum(dim=(2, 3)), torch.ones(3, 5))


def test_the_small_network_has_about_the_parameters_it_promises():
    count = sum(p.numel() for p in network(width=24).backbone.parameters())
    assert 250_000 < count < 400_000
    for name, blocks in BLOCKS.items():
        parts = network(backbone=name).backbone.parts()
        assert len(parts) in (blocks + 1, blocks + 2), name  # the stem, and the last convolution


def test_each_part_of_a_backbone_is_listed_once():
    for name in BLOCKS:
        backbone = network(backbone=name).backbone
        listed = [p for part in backbone.parts() for m in part for p in m.parameters()]
        assert len(listed) == len({id(p) for p in listed}) == len(list(backbone.parameters()))


def test_lite0_has_imagenet_s_names_and_shapes():
    state = EfficientNetLite0().state_dict()
    assert len(state) == 6 + 12 + 15 * 18 + 6
    assert sum(v.numel() for k, v in state.items() if k.endswith(("weight", "bias"))) == 3_371_008
    assert state["_blocks.5._depthwise_conv.weight"].shape == (240, 1, 3, 3)
    assert state["_conv_head.weight"].shape == (1280, 320, 1, 1)
    other = EfficientNetLite0()
    other.load_published({**state, "_fc.weight": torch.zeros(1), "_fc.bias": torch.zeros(1)})
    with pytest.raises(RuntimeError, match="_bn0"):
        other.load_published({k: v for k, v in state.items() if k != "_bn0.weight"})


@pytest.mark.parametrize(("size", "before"), [(8, 0), (7, 1)])
def test_padding_is_tensorflow_s(size, before):
    conv = Same(1, 1, 3, 2, bias=False)
    with torch.no_grad():
        conv.weight.zero_()
        conv.weight[0, 0, 0, 0] = 1  # picks the window's first pixel
    image = torch.arange(size * size, dtype=torch.float32).reshape(1, 1, size, size)
    found = conv(image)[0, 0]
    assert found.shape == (-(-size // 2),) * 2
    assert found[1, 1] == image[0, 0, 2 - before, 2 - before]


def test_local_contrast_forgets_lamp_and_colour_but_not_vessels():
    y, x = np.mgrid[:64, :64] / 64
    eye = np.full((64, 64, 3), 100.0)
    eye[:, 30:33] *= 0.8
    lamp = (0.6 + 0.4 * x)[..., None] * np.array([1.2, 0.8, 0.5])
    inside = ((x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.25)[..., None]
    look = LocalContrast()
    one, other = (look(torch.tensor(e * inside)[None])[0] for e in (eye, eye * lamp))
    assert (one - other).abs().max() < 0.15
    middle = one[:, 32, :]
    assert middle[:, 31].max() < -0.4 < middle[:, 20].min()
    assert one[:, 0, 0].abs().max() == 0
    colours = Colour()(torch.tensor(eye * lamp)[None])[0]
    assert (colours - Colour()(torch.tensor(eye)[None])[0]).abs().max() > 0.5


def test_local_contrast_is_not_rounded_where_the_network_computes_in_bfloat16():
    images, look = eyes(2, 64), LocalContrast()
    with torch.autocast("cpu", torch.bfloat16):
        rounded = look(images)
    assert torch.equal(rounded, look(images))


@pytest.mark.parametrize("look", [LocalContrast(), Colour()])
def test_noise_is_in_the_field_of_view_and_each_eye_has_its_own(look):
    images = eyes(400, 16)
    images[:, :, :5] = 0
    seen = look(images)
    torch.manual_seed(0)
    noise = with_noise(seen, images, 0.4) - seen
    assert noise[..., :5].abs().max() == 0
    deviation = noise[..., 6:].std(dim=(1, 2, 3))
    assert 0 < deviation.min() < 0.03 and 0.37 < deviation.max() < 0.46
    assert abs(deviation.mean() - 0.2) < 0.02
    assert noise.mean().abs() < 0.005
    torch.manual_seed(0)
    torch.testing.assert_close(with_noise(seen, images, 0.4) - seen, noise)
    assert with_noise(seen, images, 0.0) is seen


def answer_of(centre, spread, anatomy=((),)) -> Answer:
    return Answer(*(torch.tensor(x) for x in (centre, spread, anatomy)), torch.zeros(1))


def test_losses_are_the_likelihoods_and_pass_over_what_is_unknown():
    answer = answer_of([[1.0, 2.0], [3.0, 0.5]], [[0.5, 0.0], [-0.5, 0.0]])
    truth = torch.tensor([[0.0, 1.0], [torch.nan, 0.0]])
    value, binary = target_losses(answer, truth, torch.tensor([False, True]))
    normal = torch.distributions.Normal(torch.tensor(1.0), torch.tensor(0.5).exp().sqrt())
    expected = -normal.log_prob(torch.tensor(0.0)) - 0.5 * torch.log(torch.tensor(2 * torch.pi))
    torch.testing.assert_close(value, expected)
    p = torch.sigmoid(torch.tensor([2.0, 0.5]))
    torch.testing.assert_close(binary, -(p[0].log() + (1 - p[1]).log()) / 2)


def test_statistics_of_the_pretrained_backbone_follow_within_a_tuning():
    layer = EfficientNetLite0()._bn0.train()
    torch.manual_seed(0)
    for _ in range(50):  # steps, of some hundreds
        layer(3 + torch.randn(4, 32, 8, 8))
    assert (layer.running_mean - 3).abs().max() < 0.15
    assert (layer.running_var - 1).abs().max() < 0.15


def test_with_beta_one_means_are_learnt_by_least_squares_however_uncertain_the_eye():
    spread = torch.tensor([[-3.0], [0.0], [2.0]])
    truth = torch.tensor([[1.0], [2.0], [-1.0]])

    def gradient(beta: float) -> torch.Tensor:
        centre = torch.zeros(3, 1, requires_grad=True)
        answer = Answer(centre, spread, torch.zeros(3, 0), torch.zeros(1))
        target_losses(answer, truth, torch.tensor([False]), beta=beta).sum().backward()
        return centre.grad

    torch.testing.assert_close(gradient(1.0), -truth / 3)
    torch.testing.assert_close(gradient(0.0), -truth * torch.exp(-spread) / 3)


def test_unknown_labels_have_no_gradient_and_a_target_without_any_counts_nothing():
    centre = torch.zeros(2, 2, requires_grad=True)
    spread = torch.zeros(2, 2, requires_grad=True)
    answer = Answer(centre, spread, torch.zeros(2, 0), torch.zeros(1))
    truth = torch.tensor([[1.0, torch.nan], [torch.nan, torch.nan]])
    losses = target_losses(answer, truth, torch.tensor([False, True]))
    losses.sum().backward()
    assert losses[1] == 0
    assert centre.grad[0, 0] != 0
    assert centre.grad.flatten()[1:].abs().sum() == 0
    assert torch.isfinite(spread.grad).all()


def test_anatomy_loss_is_the_mean_square_of_what_is_known():
    answer = answer_of([[0.0]], [[0.0]], [[1.0, 2.0], [3.0, 4.0]])
    truth = torch.tensor([[0.0, torch.nan], [3.0, 2.0]])
    torch.testing.assert_close(anatomy_loss(answer, truth), torch.tensor((0.5 + 4.0) / 2))


@pytest.mark.parametrize(
    ("freeze", "backbone", "kept"),
    [
        ("none", "small", 0),
        ("until 0", "small", 1),
        ("until 3", "small", 4),
        ("all", "small", 6),
        ("until 10", "efficientnet_lite0", 11),
        ("all", "efficientnet_lite0", 18),
    ],
)
def test_frozen_parts_learn_nothing_and_take_up_no_statistics(freeze, backbone, kept):
    net = network(backbone=backbone)
    net.freeze(frozen_parts(freeze, net))
    net.train()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    groups = rate_groups(net, 0.1, 1.0)
    assert len(groups) == len(net.backbone.parts()) + 1 - kept
    optimizer = torch.optim.SGD(groups)
    answer = net(eyes())
    (answer.centre.sum() + answer.anatomy.sum() + answer.log_variance.sum()).backward()
    optimizer.step()
    frozen = {id(t) for part in net.backbone.parts()[:kept] for m in part for t in _state(m)}
    changed = {k: not torch.equal(v, before[k]) for k, v in net.state_dict(keep_vars=True).items()}
    for name, tensor in net.state_dict(keep_vars=True).items():
        if id(tensor) in frozen:
            assert not changed[name], name
    assert changed["heads.bias"]
    assert any(changed[k] for k in changed if k.startswith("backbone.")) == (freeze != "all")


def _state(module) -> list:
    return [*module.parameters(), *module.buffers()]


def test_rates_rise_from_the_stem_to_the_heads():
    rates = [group["lr"] for group in rate_groups(network(), 0.1, 0.01)]
    assert len(rates) == 7
    np.testing.assert_allclose(rates, 0.1 * 0.01 ** (1 - np.arange(7) / 6))


def test_scores_of_the_learning_curve():
    true = torch.tensor([0.0, 0.0, 1.0, 1.0])
    assert area_under_curve(torch.tensor([0.1, 0.4, 0.4, 0.9]), true) == 0.875
    assert area_under_curve(torch.tensor([0.1]), torch.tensor([1.0])) == 0.5
    assert explained(torch.full((4,), 0.5), true) == 0
    assert explained(true, true) == 1
