"""A few rounds of the game with critics of known taste, against where they must lead."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from domains.molecules.train.adversary import Adversary, Game
from domains.molecules.train.chemistry import look_at, parse
from domains.molecules.train.critic import Critic
from domains.molecules.train.generator import Generator
from domains.molecules.train.graph import features_of
from domains.molecules.train.rounds import Round
from domains.molecules.train.texts import spell
from pipelines.core.randomness import seed_everything

VOCABULARY = ["", "C", "N", "("]  # whatever has a branch is invalid: no token closes it
REAL = ["N", "NN", "CN"]


class Taste(nn.Module):
    """A critic that takes texts with a token for real, all others for written; "" is in all."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token, self.nothing = token, nn.Parameter(torch.zeros(1))

    def forward(self, tokens: Tensor, seen: Tensor) -> Tensor:
        liked = [self.token in text for text in spell(tokens.numpy(), VOCABULARY)]
        return 100.0 * torch.tensor(liked) - 50 + 0 * self.nothing


class Playing(Adversary):
    """So many rounds without a Trainer; epoch 0 is the critic's own."""

    current_epoch = 1

    def __init__(self, critic: nn.Module, steps: int, epoch: int = 1, **others: float) -> None:
        seed_everything(1)
        generator = Generator(VOCABULARY, hidden=16, embedding=8, layers=1, longest=2)
        game = {
            "samples": 256, "learning_rate": 0.02, "critic_learning_rate": 0.01, "anchor": 0.0,
            "likelihood": 0.0, "limit": 1.0, "invalid": 1.0, "replay": 512, "goal_strength": 0.0,
        }  # fmt: skip
        super().__init__(generator, critic, Game(steps=steps, **game | others), lambda _: 0.0)
        self.current_epoch = epoch
        optimisers, schedules = self.configure_optimizers()
        self.optimizers, self.lr_schedulers = lambda: optimisers, lambda: schedules[0]
        self.manual_backward = lambda loss: loss.backward()
        self.log_dict = lambda *_, **__: None
        tokens, shown = look(REAL * 16)
        features = features_of(generator.alphabet, tokens).transpose(0, 1)
        for step in range(steps):
            self.training_step(Round((tokens.T, features), [(tokens, shown)]), step)


def look(smiles: list[str]) -> tuple[Tensor, Tensor]:
    rows = [[*(VOCABULARY.index(token) for token in text), 0, 0, 0][:3] for text in smiles]
    return torch.tensor(rows), torch.from_numpy(look_at(parse(smiles)))


def log_odds(generator: Generator, has: Callable[[str], bool]) -> float:
    """Of a written text that has something."""
    torch.manual_seed(2)
    texts = spell(generator.write(torch.randn(4000, generator.size)).numpy(), VOCABULARY)
    share = np.mean([has(text) for text in texts])
    return float(np.log(share / (1 - share)))


def critic() -> Critic:
    torch.manual_seed(0)
    return Critic(len(VOCABULARY), channels=4, hidden=16, dropout=0.0)


def valid(text: str) -> bool:
    return text != "" and "(" not in text


@pytest.mark.parametrize(("anchor", "within"), [(1.0, 0.2), (100.0, 0.05)])
@pytest.mark.parametrize("liked", ["N", ""])
def test_the_reward_over_the_anchor_is_what_is_gained(
    liked: str, anchor: float, within: float
) -> None:
    """E[r] − β KL is largest where p is p0 exp(r / β), up to a constant.

    The logit is cut at ± 1; the reward of an invalid text is −1, whatever the critic thinks of it.
    """
    played = Playing(Taste(liked), 80, anchor=anchor, learning_rate=0.015)
    before, after = (
        log_odds(writer, lambda text: valid(text) and liked in text)
        for writer in (played.anchor, played.generator)
    )
    assert after - before == pytest.approx(2 / anchor, abs=within)


def test_the_critic_learns_which_ones_are_real() -> None:
    played = Playing(critic(), 40, epoch=0)
    logits = played.critic.eval()(*look([*REAL, "C", "CC", "", "N(", "("]))
    assert logits[: len(REAL)].min() > 1
    assert logits[len(REAL) :].max() < -1


def test_against_a_critic_that_learns_more_is_written_like_the_real_ones() -> None:
    played = Playing(critic(), 60, learning_rate=0.005)
    before, after = (log_odds(w, REAL.__contains__) for w in (played.anchor, played.generator))
    assert after > before + 1


def test_likelihood_alone_makes_real_ones_likely() -> None:
    played = Playing(Taste(""), 20, likelihood=1.0, limit=0.0, invalid=0.0)
    before, after = (log_odds(w, REAL.__contains__) for w in (played.anchor, played.generator))
    assert after > before + 1


def test_a_reward_is_of_the_whole_critic() -> None:
    """Dropout is for its own learning: a reward would be as random."""
    game = Playing(Critic(len(VOCABULARY), channels=4, hidden=16, dropout=0.5), steps=0)
    game.critic.train()
    first, second = (game._rewards(*look(REAL), []) for _ in range(2))
    assert torch.equal(first, second)
