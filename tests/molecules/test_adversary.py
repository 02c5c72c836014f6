"""The game: what the critic learns, which way the generator moves, and that it can be resumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rdkit import Chem

from domains.molecules.train import gan
from domains.molecules.train.adversary import Adversary
from domains.molecules.train.chemistry import COUNTS, SEEN, look_at, parse
from domains.molecules.train.critic import Critic
from domains.molecules.train.goals import Goal
from domains.molecules.train.params import TrainParams
from domains.molecules.train.reading import fits_of, read_critic, read_writer
from pipelines.core.params import read_yaml
from pipelines.training.stage import train
from tests.molecules.trained import folders
from tests.workspace import ROOT


def params(goals: list[dict[str, Any]] | None = None, **adversarial: Any) -> TrainParams:
    """A network of seconds."""
    section: dict[str, Any] = read_yaml(ROOT / "params.yaml")["molecules"]["train"]
    section["generator"] |= {"hidden": 24, "embedding": 8}
    section["likelihood"] |= {"batch_size": 8, "epochs": 6}
    section["critic"] |= {"channels": 4, "hidden": 16, "known": 64, "replay": 128, "batch_size": 16}
    section["adversarial"] |= {"epochs": 3, "rounds": 4, "samples": 32, "drawn": 32, **adversarial}
    section["goals"] = goals or []
    return TrainParams(**section)


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Chains of C, N and O; the distance that validates is the share of nitrogen among them."""
    found = folders(tmp_path)

    def nitrogen(smiles: list[str]) -> float:
        return sum(text.count("N") for text in smiles) / max(len(smiles), 1)

    monkeypatch.setattr(gan, "chemnet_distance", lambda prepared: nitrogen)
    return found


def trained(inputs: Any, folder: Path, settings: TrainParams) -> bytes:
    train(gan.fits(settings, inputs.prepare), folder, folder / "work", "test")
    # The history too: the weights are those of the best epoch, which may come before a stop.
    return b"".join((folder / name).read_bytes() for name in ("weights.safetensors", "history.csv"))


def test_a_chemist_sees_counts_descriptors_and_what_is_no_molecule() -> None:
    seen = look_at(parse(["CCO", "not a molecule", "", "CCCCCCO"]))
    assert seen.shape == (4, SEEN)
    assert seen[:, -1].tolist() == [0, 1, 1, 0]
    assert not seen[1, :-1].any()
    counts = np.expm1(seen[:, :COUNTS]).round()
    assert counts[0].sum() == 6  # three atoms, at radius 0 and 1; radius 2 adds nothing new
    assert seen[0, COUNTS] * 100 == pytest.approx(46.04, abs=0.01)  # Da


@pytest.mark.parametrize("blind", ["text", "chemistry"])
def test_the_critic_learns_from_each_of_its_two_views(blind: str) -> None:
    torch.manual_seed(0)
    critic = Critic(tokens=4, channels=8, hidden=16, dropout=0.1)
    real, fake = ["CCNCC", "CNCCC", "CCCNC"], ["CCOCC", "COCCC", "CCCOC"]
    tokens = torch.tensor([["_CNO".index(c) for c in text] for text in real + fake])
    seen = torch.from_numpy(look_at(parse(real + fake)))
    if blind == "text":
        tokens = torch.zeros_like(tokens)
    else:
        seen = torch.zeros_like(seen)
    optimiser, truth = (
        torch.optim.Adam(critic.parameters(), 1e-2),
        torch.tensor([1.0] * 3 + [0] * 3),
    )
    for _ in range(60):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(critic(tokens, seen), truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert torch.equal(critic.eval()(tokens, seen) > 0, truth > 0)


def test_both_fits_are_read_back(inputs: Any, tmp_path: Path) -> None:
    trained(inputs, inputs.train, params())
    assert list(fits_of(inputs.train)) == ["likelihood", "adversarial"]
    writers = [read_writer(inputs.train, fit) for fit in fits_of(inputs.train)]
    noise = torch.randn(50, writers[0].size)
    assert writers[0].write(noise).shape == (50, writers[0].longest + 1)
    tokens = writers[1].write(noise)
    assert read_critic(inputs.train)(tokens, torch.zeros(50, SEEN)).shape == (50,)


def test_the_first_epoch_is_the_generator_of_likelihood(inputs: Any) -> None:
    trained(inputs, inputs.train, params(epochs=1))
    likelihood, adversarial = (read_writer(inputs.train, fit) for fit in fits_of(inputs.train))
    noise = torch.randn(100, likelihood.size)
    assert torch.equal(likelihood.write(noise), adversarial.write(noise))


def test_each_fit_keeps_the_epoch_that_is_best_by_what_it_is_for(inputs: Any) -> None:
    goals = [{"smarts": "[#7]", "required": True}]
    chosen = [
        [(fit.name, fit.monitor, fit.mode) for fit in gan.fits(settings, inputs.prepare)]
        for settings in (params(), params(goals))
    ]
    likelihood = ("likelihood", "val_nats", "min")
    assert chosen[0] == [likelihood, ("adversarial", "val_fcd", "min")]
    assert chosen[1] == [likelihood, ("adversarial", "val_score", "max")]


def test_goals_are_read_back_from_the_description_of_the_model(inputs: Any) -> None:
    goals = [
        {"property": "qed", "low": 0.8},
        {"similar_to": "CCO", "at_least": 0.4, "weight": 2},
        {"smarts": "N", "required": False},
    ]
    settings = params(goals)
    [*_, fit] = gan.fits(settings, inputs.prepare)
    found = json.loads(json.dumps(fit.model["goals"]))
    assert [Goal(**one).model_dump() for one in found] == [
        goal.model_dump() for goal in settings.goals
    ]


def test_goals_direct_what_is_written(inputs: Any) -> None:
    goal = {"smarts": "[#7]", "required": True}
    how = {"epochs": 4, "rounds": 25, "learning_rate": 0.01, "anchor": 0.05, "likelihood": 0.0}
    trained(inputs, inputs.train, params([goal], goal_strength=5.0, **how))
    shares = []
    for fit in fits_of(inputs.train):
        writer = read_writer(inputs.train, fit)
        torch.manual_seed(1)
        tokens = writer.write(torch.randn(400, writer.size))
        texts = ["".join(writer.vocabulary[t] for t in row) for row in tokens.tolist()]
        shares.append(np.mean(["N" in text for text in texts]))
    assert shares[1] > shares[0] + 0.15, shares


def test_an_interrupted_game_ends_as_an_uninterrupted_one(
    inputs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trained(inputs, tmp_path / "whole", params())

    def stop(self: Adversary) -> None:
        if self.current_epoch == 2:
            raise RuntimeError("stopped")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="stopped"):
        patch.setattr(Adversary, "on_train_epoch_start", stop)
        trained(inputs, tmp_path / "parts", params())
    assert trained(inputs, tmp_path / "parts", params()) == whole


def test_goals_that_cannot_be_read_and_goals_of_the_other_model() -> None:
    section = params().model_dump()
    with pytest.raises(ValueError, match="goals: model latent_gan cannot be directed"):
        TrainParams(**{**section, "model": "latent_gan", "goals": [Goal(property="qed", low=0.8)]})
    with pytest.raises(Exception, match=r"goals.0.smarts: found '\[\['"):
        TrainParams(**{**section, "goals": [Goal(smarts="[[", required=True)]})
    assert Chem.MolFromSmiles("C") is not None
