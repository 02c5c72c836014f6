import json
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file

from domains.retina.prepare.arrays import read_eyes
from domains.retina.train import train
from domains.retina.train.lite0 import EfficientNetLite0
from domains.retina.train.losses import target_losses
from domains.retina.train.module import EyeReader
from domains.retina.train.network import Answer
from domains.retina.train.pretext import TurnedEyes
from domains.retina.train.reading import answers, read_network
from domains.retina.train.setup import data_of, describe, features, network_of
from pipelines.core.errors import UserError
from pipelines.core.runner import Inputs
from tests.retina.made import made_prepare
from tests.retina.trained import params_of, trained

LEARNS = {
    "epochs": 12,
    "batch_size": 16,
    "learning_rate": 0.02,
    "shift_px": 0,
    "width": 8,
    "look": "colour",
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return made_prepare(tmp_path_factory.mktemp("prepare"), n=96, size=24)


def r2(inputs: Inputs, name: str) -> float:
    eyes = read_eyes(inputs.prepare, ("test",))
    network = read_network(inputs.train)
    place = [target.name for target in network.targets].index(name)
    mean = answers(network, eyes.images)[0][:, place]
    true = eyes.table[name].to_numpy()
    return 1 - np.mean((true - mean) ** 2) / np.var(true)


def test_what_can_be_seen_is_learnt(prepared, tmp_path):
    inputs = trained(prepared, tmp_path, **LEARNS)
    assert r2(inputs, "age") > 0.6
    assert r2(inputs, "systolic") > 0.6
    assert r2(inputs, "bmi") < 0.2  # nothing shows it
    history = pd.read_csv(tmp_path / "history.csv")
    assert list(history.columns[:2]) == ["fit", "epoch"]
    assert history["val_age_r2"].iloc[-1] > 0.6


def test_shuffled_labels_are_not_learnt(prepared, tmp_path):
    table = pd.read_csv(prepared / "eyes.csv")
    rows = np.flatnonzero(table["split"] == "train")
    mixed = np.random.default_rng(0).permutation(rows)
    labels = ["age", "systolic", "bmi", "sex", "smoking"]
    table.loc[rows, labels] = table.loc[mixed, labels].to_numpy()
    copy = tmp_path / "prepare"
    made_prepare(copy, n=96, size=24)
    table.to_csv(copy / "eyes.csv", index=False)
    inputs = trained(copy, tmp_path / "train", **LEARNS, auxiliary=0.0)
    assert r2(inputs, "age") < 0.15
    assert r2(inputs, "systolic") < 0.15


def test_the_same_training_gives_the_same_bytes(prepared, tmp_path):
    changes = {
        "mirror": True,
        "colour": 0.1,
        "defocus_px": 0.5,
        "dropout": 0.2,
        "pretext": {"kind": "rotation", "epochs": 1, "learning_rate": 0.01},
    }
    for name in ("one", "two"):
        trained(prepared, tmp_path / name, **changes)
    for file in ("weights.safetensors", "model.json", "history.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_noise_is_the_same_in_a_resumed_training_and_with_workers(prepared, tmp_path, monkeypatch):
    changes = {"epochs": 2, "noise": 0.4, "dropout": 0.2}
    trained(prepared, tmp_path / "one", **changes)
    trained(prepared, tmp_path / "none", **{**changes, "noise": 0.0})
    monkeypatch.setenv("SCISTAGE_WORKERS", "2")
    trained(prepared, tmp_path / "two", **changes)
    monkeypatch.undo()

    def killed(self, batch, index):
        if self.trainer.current_epoch == 1 and index == 2:
            raise RuntimeError("killed")
        return step(self, batch, index)

    step = EyeReader.training_step
    with monkeypatch.context() as patch:
        patch.setattr(EyeReader, "training_step", killed)
        with pytest.raises(RuntimeError, match="killed"):
            trained(prepared, tmp_path / "three", **changes)
    trained(prepared, tmp_path / "three", **changes)
    weights = {
        name: (tmp_path / name / "weights.safetensors").read_bytes()
        for name in ("one", "two", "three", "none")
    }
    assert weights["one"] == weights["two"] == weights["three"] != weights["none"]


def test_the_validation_loss_is_that_of_all_that_is_known_whatever_the_batch(tmp_path):
    copy = made_prepare(tmp_path / "prepare", n=48, size=16, missing=0.8)
    inputs = Inputs(copy, *[tmp_path] * 4)
    losses = []
    for size in (24, 5, 2):
        fit = next(train(params_of(), inputs))
        truth = fit.data.val.truth
        assert 0 < (~truth[:, 1].isnan()).float().mean() < 0.5
        fit.module.eval()
        logged = fit.module.log = Mock()
        fit.module.on_validation_epoch_start()
        with torch.no_grad():
            for start in range(0, len(truth), size):
                keys = [(0, k) for k in range(start, min(start + size, len(truth)))]
                fit.module.validation_step(fit.data.val.__getitems__(keys), 0)
        fit.module.on_validation_epoch_end()
        losses += [float(c.args[1]) for c in logged.call_args_list if c.args[0] == "val_loss"]
    with torch.no_grad():
        whole = fit.module.network(torch.from_numpy(fit.data.val.images))
    expected = target_losses(whole, truth, fit.module.binary).sum()
    assert len(losses) == 3
    np.testing.assert_allclose(losses, float(expected), rtol=1e-4)


def test_a_label_weighs_the_same_whatever_else_its_batch_knows(prepared, tmp_path):
    """The gradient of one known label, beside eyes without and with the same label."""
    copy = made_prepare(tmp_path / "prepare", n=48, size=16, missing=0.5)
    fit = next(train(params_of(auxiliary=0.0), Inputs(copy, *[tmp_path] * 4)))
    share = (~fit.data.train.truth.isnan()).float().mean(dim=0)
    torch.testing.assert_close(fit.module.share, share)
    assert share[0] == 1 and 0.2 < share[1] < 0.8
    binary = fit.module.binary
    weights = []
    for others in (float("nan"), 0.3):
        centre = torch.zeros(4, 5, requires_grad=True)
        answer = Answer(centre, torch.zeros(4, 5), torch.zeros(4, 0), torch.zeros(1))
        truth = torch.full((4, 5), others)
        truth[0] = 1.0
        target_losses(answer, truth, binary, fit.module.share).sum().backward()
        weights.append(centre.grad[0])
    torch.testing.assert_close(weights[0], weights[1])
    torch.testing.assert_close(weights[0][:3], -1 / (4 * share[:3]))


def test_with_beta_1_an_uncertain_eye_teaches_as_much_as_a_certain_one():
    """Its weight is a number: the variance cannot be lowered to make it smaller."""
    centre = torch.zeros(2, 1, requires_grad=True)
    spread = torch.tensor([[0.0], [2.0]], requires_grad=True)
    answer = Answer(centre, spread, torch.zeros(2, 0), torch.zeros(1))
    target_losses(answer, torch.ones(2, 1), torch.tensor([False]), beta=1.0).sum().backward()
    torch.testing.assert_close(centre.grad, torch.full((2, 1), -0.5))
    torch.testing.assert_close(spread.grad, (spread.detach().exp() - 1) / 4)


def test_targets_count_as_much_as_they_weigh(prepared, tmp_path):
    inputs = Inputs(prepared, *[tmp_path] * 4)

    def loss(*weights):
        listed = [{"target": name, "weight": weight} for name, weight in weights]
        fit = next(train(params_of(auxiliary=0.0, weights=listed), inputs))
        fit.module.eval()
        fit.module.log = Mock()
        with torch.no_grad():
            return fit.module.training_step(fit.data.train.__getitems__([(0, 0), (0, 1)]), 0)

    names = ("age", "systolic", "bmi", "sex", "smoking")
    each = [loss(*((name, float(name == one)) for name in names)) for one in names]
    torch.testing.assert_close(loss(), torch.stack(each).sum())
    expected = torch.stack(each).sum() + 2 * each[0] - 0.5 * each[3]
    torch.testing.assert_close(loss(("age", 3.0), ("sex", 0.5)), expected)
    with pytest.raises(UserError, match=r"retina\.train\.weights: found 'height'; the targets are"):
        loss(("height", 1.0))


def test_the_network_read_again_says_what_it_said(prepared, tmp_path):
    inputs = Inputs(prepared, tmp_path, tmp_path, tmp_path, tmp_path)
    trained(prepared, tmp_path)
    network = read_network(inputs.train)
    eyes = read_eyes(prepared, ("validation",))
    about = json.loads((tmp_path / "model.json").read_text())["fits"]["member_0"]["model"]
    assert [target.name for target in network.targets] == [t["name"] for t in about["targets"]]
    centre, spread = answers(network, eyes.images)
    with torch.no_grad():
        answer = network(torch.from_numpy(np.array(eyes.images)))
    expected = answer.centre[:, 0] * about["sd"][0] + about["mean"][0]
    np.testing.assert_allclose(centre[:, 0], expected, rtol=0.02)
    assert (spread[:, 0] > 0).all()
    np.testing.assert_allclose(answers(network, eyes.images[:3])[0], centre[:3], rtol=1e-3)


def test_a_mirrored_eye_reads_the_same_where_mirrored_eyes_were_learnt_from(prepared, tmp_path):
    trained(prepared, tmp_path, mirror=True)
    images = np.array(read_eyes(prepared, ("test",)).images)
    network = read_network(tmp_path)
    one, other = (answers(network, i)[0] for i in (images, images[:, :, ::-1]))
    np.testing.assert_allclose(one, other, rtol=1e-5)


def test_unusable_eyes_are_not_learnt_from_and_anatomy_is_standardised(prepared, tmp_path):
    copy = made_prepare(tmp_path / "prepare", n=24, size=16, missing=0.5)
    table = pd.read_csv(copy / "eyes.csv")
    table.loc[[0, 3], "usable"] = False
    table.to_csv(copy / "eyes.csv", index=False)
    params = params_of()
    about = describe(copy, params)
    learnt, checked = data_of(copy, params, about)
    assert len(learnt) == (table["split"] == "train").sum() - 2
    images = read_eyes(copy, ("train",)).images
    np.testing.assert_array_equal(learnt.images[0], images[1])
    truth = learnt.truth.numpy()
    assert np.isnan(truth[:, 1]).any() and not np.isnan(truth[:, 0]).any()
    known = truth[:, 1][~np.isnan(truth[:, 1])]
    assert abs(known.mean()) < 1e-4 and abs(known.std(ddof=1) - 1) < 1e-3
    assert set(np.unique(truth[:, 3])) == {0, 1}  # sex stays as it is
    anatomy = learnt.anatomy.numpy()
    assert "defocus" not in features(copy) and len(features(copy)) == anatomy.shape[1] == 7
    assert np.abs(anatomy.mean(axis=0)).max() < 0.5 and np.abs(anatomy.std(axis=0) - 1).max() < 0.5
    assert checked.chain is None


def test_without_anatomy_there_are_no_auxiliary_heads(tmp_path):
    real = made_prepare(tmp_path / "real", n=16, size=16, cohort=False)
    made = made_prepare(tmp_path / "made", n=16, size=16)
    assert describe(real, params_of())["anatomy"] == []
    assert describe(made, params_of(auxiliary=0.0))["anatomy"] == []
    assert len(describe(made, params_of())["anatomy"]) == 7
    trained(real, tmp_path / "out")


def test_the_pretext_asks_for_the_turn_and_hands_its_backbone_on(prepared, tmp_path):
    params = params_of(pretext={"kind": "rotation", "epochs": 2, "learning_rate": 0.01})
    learnt, _ = data_of(prepared, params, describe(prepared, params))
    learnt.chain = None
    turned = TurnedEyes(learnt, seed=0)
    images, turns = turned.__getitems__([(0, k) for k in range(40)])
    assert set(turns.tolist()) == {0, 1, 2, 3}
    for k, (image, turn) in enumerate(zip(images.numpy(), turns.tolist(), strict=True)):
        np.testing.assert_array_equal(np.rot90(image, -turn), learnt.images[k])
    fits = train(params, Inputs(prepared, tmp_path, tmp_path, tmp_path, tmp_path))
    first = next(fits)
    assert (first.name, first.epochs) == ("pretext_0", 2)
    with torch.no_grad():
        for tensor in first.module.backbone.parameters():
            tensor.fill_(0.25)
    main = next(fits)
    assert main.name == "member_0"
    for tensor in main.module.network.backbone.parameters():
        assert (tensor == 0.25).all()


def test_lite0_starts_from_imagenet_and_refuses_to_keep_what_it_has_not_got(tmp_path):
    copy = made_prepare(tmp_path / "prepare", n=8, size=32, cohort=False)
    params = params_of(backbone="efficientnet_lite0", freeze="until 8")
    about = describe(copy, params)
    with pytest.raises(UserError, match=r"retina\.train\.freeze: found 'until 8'.*pretrained"):
        network_of(copy, params, about)
    torch.manual_seed(3)
    state = {k: v.clone() for k, v in EfficientNetLite0().state_dict().items()}
    save_file({**state, "_fc.weight": torch.zeros(2, 2)}, copy / "imagenet.safetensors")
    network = network_of(copy, params, about)
    for name, tensor in network.backbone.state_dict().items():
        assert torch.equal(tensor, state[name]), name
    trained(copy, tmp_path / "out", backbone="efficientnet_lite0", freeze="until 8")
    after = read_network(tmp_path / "out").members[0].backbone.state_dict()
    assert torch.equal(after["_blocks.7._bn2.running_mean"], state["_blocks.7._bn2.running_mean"])
    assert not torch.equal(after["_blocks.8._bn2.weight"], state["_blocks.8._bn2.weight"])


@pytest.mark.parametrize("freeze", ["until 5", "until", "some", "until -1", "none "])
def test_a_wrong_freeze_is_refused(freeze):
    with pytest.raises(ValidationError, match="until N with N from 0 to 4"):
        params_of(freeze=freeze)


@pytest.mark.parametrize("alike", [True, False])
def test_a_target_that_tells_nothing_is_refused(tmp_path, alike):
    copy = made_prepare(tmp_path, n=8, size=16)
    table = pd.read_csv(copy / "eyes.csv")
    table["age"] = 50.0 if alike else np.nan
    table.to_csv(copy / "eyes.csv", index=False)
    with pytest.raises(UserError, match=f"age: found {int(alike)} different values"):
        describe(copy, params_of())
