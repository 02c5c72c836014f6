import json

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError
from sklearn.metrics import roc_auc_score

from domains.screening.prepare.arrays import read_graphs, read_molecules
from domains.screening.train import train
from domains.screening.train.joining import joined_of, read_joined
from domains.screening.train.losses import class_weights, loss_of
from domains.screening.train.reading import read_ensemble
from pipelines.core.runner import Inputs
from tests.screening.made import CROSSING, DISTANCE, made_prepare
from tests.screening.trained import params_of, trained

LEARNS = {"epochs": 30, "learning_rate": 0.01, "weight_decay": 0.0, "hidden": 32}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return made_prepare(tmp_path_factory.mktemp("prepare"))


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    return made_prepare(tmp_path_factory.mktemp("prepare"), targets=(CROSSING, DISTANCE))


def told(inputs: Inputs, splits=("train",)):
    """(n, T) of the ensemble's mean, and the truth."""
    ensemble = read_ensemble(inputs.train)
    table = read_molecules(inputs.prepare)
    rows = np.flatnonzero(table["split"].isin(splits))
    joined = read_joined(inputs.prepare, "molecules", ensemble.join)[rows]
    said = ensemble.predict(read_graphs(inputs.prepare, "graphs").take(rows), joined)
    return said.mean(axis=0), table.iloc[rows][[t.name for t in ensemble.targets]].to_numpy(float)


def auc(said, truth):
    return roc_auc_score(truth, said)


def test_a_small_set_is_learnt_by_heart(both, tmp_path):
    """The last epoch is the one to look at: give it what it learns from to validate on."""
    table = pd.read_csv(both / "molecules.csv")
    copy = made_prepare(tmp_path / "prepare", targets=(CROSSING, DISTANCE))
    table["split"] = np.where(table["split"] == "test", "train", table["split"])
    table.to_csv(copy / "molecules.csv", index=False)
    inputs = trained(copy, tmp_path / "train", **{**LEARNS, "epochs": 60})
    said, truth = told(inputs)
    known = ~np.isnan(truth)
    assert auc(said[known[:, 0], 0], truth[known[:, 0], 0]) > 0.98
    errors = (said - truth)[known[:, 1], 1]
    assert np.mean(errors**2) < 0.15 * np.nanvar(truth[:, 1])


def test_what_a_structure_shows_is_told_of_other_molecules(prepared, tmp_path):
    inputs = trained(prepared, tmp_path, **LEARNS)
    said, truth = told(inputs, ("test",))
    assert auc(said[:, 0], truth[:, 0]) > 0.8


def test_shuffled_labels_are_not_learnt(prepared, tmp_path):
    """Mean over shuffles: one test set of a dozen molecules has a wide interval."""
    found = []
    for seed in range(10):
        copy = made_prepare(tmp_path / f"prepare{seed}")
        table = pd.read_csv(copy / "molecules.csv")
        order = np.random.default_rng(seed).permutation(len(table))
        table["crossing"] = table["crossing"].to_numpy()[order]
        table.to_csv(copy / "molecules.csv", index=False)
        inputs = trained(copy, tmp_path / f"train{seed}", **{**LEARNS, "epochs": 8})
        said, truth = told(inputs, ("test",))
        found.append(auc(said[:, 0], truth[:, 0]))
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert abs(np.mean(found) - 0.5) < 3 * error < 0.25, found


@pytest.mark.parametrize("join", ["none", "descriptors", "fingerprints"])
def test_the_same_training_gives_the_same_bytes(both, tmp_path, join):
    for name in ("one", "two"):
        trained(both, tmp_path / name, join=join, dropout=0.2, members=2)
    for file in ("weights.safetensors", "model.json", "history.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_member_is_a_function_of_seed_and_number(prepared, tmp_path):
    large = trained(prepared, tmp_path / "large", members=3, dropout=0.2)
    small = trained(prepared, tmp_path / "small", members=2, dropout=0.2)
    other = trained(prepared, tmp_path / "other", members=2, dropout=0.2, seed=1)
    graphs = read_graphs(prepared, "graphs")
    joined = np.zeros((len(graphs), 0))
    three, two, two_others = (
        read_ensemble(inputs.train).predict(graphs, joined) for inputs in (large, small, other)
    )
    assert three.shape == (3, len(graphs), 1)
    np.testing.assert_array_equal(three[:2], two)
    every = np.concatenate([three, two_others])
    for k in range(5):
        for other in range(k):
            assert np.abs(every[k] - every[other]).max() > 1e-3


def test_loader_workers_change_nothing(prepared, tmp_path, monkeypatch):
    changes = {"epochs": 2, "dropout": 0.3}
    trained(prepared, tmp_path / "one", **changes)
    monkeypatch.setenv("SCISTAGE_WORKERS", "2")
    trained(prepared, tmp_path / "two", **changes)
    one, two = ((tmp_path / n / "weights.safetensors").read_bytes() for n in ("one", "two"))
    assert one == two


def test_what_is_unknown_is_not_learnt_from(both):
    fit = next(train(params_of(), Inputs(both, *[both] * 4)))
    batch = fit.data.train.__getitems__([(0, k) for k in range(len(fit.data.train))])
    assert batch.truth.isnan().any()
    said = torch.zeros(batch.truth.shape, requires_grad=True)
    standardised = (batch.truth - fit.module.network.target_mean) / fit.module.network.target_sd
    loss_of(said, standardised, fit.module.classes, fit.module.weights).backward()
    assert ((said.grad == 0) == batch.truth.isnan()).all()


def test_values_have_the_scale_of_the_training_molecules(tmp_path):
    copy = made_prepare(tmp_path / "prepare", targets=(CROSSING, DISTANCE))
    table = pd.read_csv(copy / "molecules.csv")
    table.loc[table["split"] != "train", "distance"] += 100
    table.to_csv(copy / "molecules.csv", index=False)
    network = next(train(params_of(), Inputs(copy, *[copy] * 4))).module.network
    known = table.loc[table["split"] == "train", "distance"].dropna()
    assert network.target_mean.tolist() == pytest.approx([0, known.mean()], rel=1e-5)
    assert network.target_sd.tolist() == pytest.approx([1, known.std(ddof=0)], rel=1e-5)


def test_the_validation_loss_is_of_standardised_values(both):
    fit = next(train(params_of(), Inputs(both, *[both] * 4)))
    module, logged = fit.module.eval(), {}
    module.log = lambda name, value: logged.update({name: float(value)})
    batch = fit.data.val.__getitems__([(0, k) for k in range(len(fit.data.val))])
    with torch.no_grad():
        module.on_validation_epoch_start()
        module.validation_step(batch, 0)
        module.on_validation_epoch_end()
        said = module.network(batch.molecules)
    truth = (batch.truth - module.network.target_mean) / module.network.target_sd
    expected = loss_of(said, truth, module.classes, module.weights)
    assert logged["val_loss"] == pytest.approx(float(expected), rel=1e-5)


def test_a_loss_by_hand():
    """Two classes of one target, squared error of another; means over molecules and targets."""
    truth = torch.tensor([[1.0, 2.0], [0.0, float("nan")]])
    said = torch.tensor([[0.0, 1.0], [3.0, 9.0]])
    classes = torch.tensor([True, False])
    found = loss_of(said, truth, classes, torch.tensor([[1.0, 2.0], [4.0, 7.0]]))
    expected = (4 * np.log(2) + 1 * np.log1p(np.exp(3)) + 2 * (1 - 2) ** 2) / 4
    assert float(found) == pytest.approx(expected)


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_weights_balance_classes_and_not_targets(balance):
    nan = float("nan")
    truth = torch.tensor([[1.0, 5.0, nan]] + [[0.0, 0.1, 0.0]] * 8 + [[nan, nan, 1.0]])
    classes = torch.tensor([True, False, True])
    zeros, ones = class_weights(truth, classes, balance)
    assert ones[0] / zeros[0] == pytest.approx(8**balance)
    for k, target in enumerate(classes):
        known = truth[~truth[:, k].isnan(), k]
        weights = torch.where((known > 0.5) & target, ones[k], zeros[k])
        assert float(weights.sum()) == pytest.approx(len(truth))
    if balance == 1:
        assert ones[0] * 1 == pytest.approx(float(zeros[0] * 8))


def test_the_ensemble_says_values_in_their_unit_and_tells_its_targets(both, tmp_path):
    inputs = trained(both, tmp_path, members=2)
    ensemble = read_ensemble(inputs.train)
    assert ensemble.targets == [CROSSING, DISTANCE]
    said, truth = told(inputs)
    assert abs(said[:, 1].mean() - np.nanmean(truth[:, 1])) < np.nanstd(truth[:, 1])
    about = json.loads((tmp_path / "model.json").read_text())["fits"]["member_1"]["model"]
    assert about["targets"][1]["unit"] == "log10"


@pytest.mark.parametrize("join", ["descriptors", "fingerprints"])
def test_what_is_joined_is_read_as_apply_makes_it(prepared, join):
    smiles = read_molecules(prepared)["smiles"].tolist()
    stored, made = read_joined(prepared, "molecules", join), joined_of(smiles, join)
    np.testing.assert_array_equal(stored, made)
    assert stored.shape[1] > 100


def test_without_a_join_no_fingerprint_is_read(tmp_path):
    folder = made_prepare(tmp_path)
    (folder / "fingerprints.npz").unlink()
    assert read_joined(folder, "molecules", "none").shape == (len(read_molecules(folder)), 0)
    assert read_joined(folder, "library", "none").shape == (len(read_graphs(folder, "library")), 0)


@pytest.mark.parametrize(
    "change", [{"depth": 0}, {"join": "both"}, {"members": 0}, {"balance": 1.5}, {"layers": 1.0}]
)
def test_parameters_out_of_range_are_refused(change):
    with pytest.raises(ValidationError, match=next(iter(change))):
        params_of(**change)
