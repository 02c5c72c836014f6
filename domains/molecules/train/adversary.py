"""The adversarial game: a critic learns to tell, the generator learns to pass.

The generator maximises E_G[r] − β KL(G‖G₀), where r is the critic's logit, G₀ the generator as
likelihood has left it. For a perfect critic r = log p − log q, so that with β = 0 the optimum is
the data's distribution; the anchor β keeps a critic's mistakes from being exploited (as ORGAN's
were; Guimaraes et al. 2017). Molecules are discrete, so the gradient is REINFORCE (Williams 1992)
as in SeqGAN (Yu et al. 2017), with a value for each token in place of roll-outs (generalised
advantage estimation; Schulman et al. 2016).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW

from .batches import Batch
from .chemistry import look_at, parse
from .critic import Critic
from .generator import Generator, inside, shifted, spell
from .graph import features_of
from .scorers import Scorer


@dataclass(frozen=True)
class Game:
    """How it is played; `AdversarialParams` says what each number is."""

    samples: int
    learning_rate: float
    critic_learning_rate: float
    critic_steps: int
    anchor: float
    likelihood: float
    limit: float
    invalid: float
    persistence: float
    memory: int
    goal_strength: float
    steps: int
    warm_steps: int


class Adversary(LightningModule):
    """One step: write molecules, look at them, teach the critic, refine the generator."""

    def __init__(
        self, generator: Generator, critic: Critic, game: Game, scorer: Scorer | None
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.generator, self.critic, self.game, self.scorer = generator, critic, game, scorer
        self.anchor = copy.deepcopy(generator).requires_grad_(False)
        self.value = nn.Linear(generator.recurrent.hidden_size, 1)
        nn.init.zeros_(self.value.weight)
        nn.init.zeros_(self.value.bias)
        size = generator.longest + 1
        self.fakes = torch.zeros(0, size, dtype=torch.uint8)
        self.fakes_seen = torch.zeros(0, 0)

    def training_step(self, batch: tuple[Batch, Tensor, Tensor], index: int) -> None:
        (tokens, features), real, real_seen = batch
        noise = torch.randn(self.game.samples, self.generator.longest + 1)
        fakes = self.generator.write(noise)
        fakes = fakes[:, : int((fakes > 0).sum(1).max()) + 1]
        mols = parse(spell(fakes.cpu().numpy(), self.generator.vocabulary))
        seen = torch.from_numpy(look_at(mols)).to(self.device)
        self._remember(fakes, seen)
        told = [self._teach(real, real_seen) for _ in range(self.game.critic_steps)]
        reward = self._reward(fakes, seen, mols)
        self._refine(fakes, reward, tokens, features)
        self.log_dict(
            {
                "critic_loss": sum(told) / len(told),
                "reward": reward.mean(),
                "valid": 1 - seen[:, -1].mean(),
            },
            on_step=False,
            on_epoch=True,
            batch_size=len(fakes),
        )

    def _remember(self, fakes: Tensor, seen: Tensor) -> None:
        padded = F.pad(fakes, (0, self.generator.longest + 1 - fakes.shape[1])).to(torch.uint8)
        if not len(self.fakes_seen):
            self.fakes, self.fakes_seen = padded, seen
        else:
            self.fakes = torch.cat([padded, self.fakes])[: self.game.memory]
            self.fakes_seen = torch.cat([seen, self.fakes_seen])[: self.game.memory]

    def _teach(self, real: Tensor, real_seen: Tensor) -> Tensor:
        chosen = torch.randint(len(real), (self.game.samples,))
        others = torch.randint(len(self.fakes), (self.game.samples,))
        tokens = torch.cat([real[chosen], self.fakes[others]]).long()
        seen = torch.cat([real_seen[chosen], self.fakes_seen[others]])
        # what is invalid is known to be written: the critic learns from valid ones
        self.critic.train()
        logits = self.critic(tokens, seen)
        truth = torch.cat([torch.ones(len(chosen)), torch.zeros(len(others))])
        loss = F.binary_cross_entropy_with_logits(logits, truth)
        optimiser = self.optimizers()[1]
        optimiser.zero_grad()
        self.manual_backward(loss)
        optimiser.step()
        return loss.detach()

    @torch.no_grad()
    def _reward(self, fakes: Tensor, seen: Tensor, mols: list[Any]) -> Tensor:
        self.critic.eval()
        logits = self.critic(fakes, seen).clamp(-self.game.limit, self.game.limit)
        logits = torch.where(seen[:, -1] > 0, -self.game.invalid, logits)
        if self.scorer is not None:
            score = torch.from_numpy(self.scorer(mols)).to(logits)
            logits = logits + self.game.goal_strength * score
        return logits

    def _refine(self, fakes: Tensor, reward: Tensor, tokens: Tensor, features: Tensor) -> None:
        written = fakes.T.contiguous()
        seen = features_of(self.generator.alphabet, fakes).transpose(0, 1)
        here = inside(written).float()
        state, logits = self._states(self.generator, written, seen)
        with torch.no_grad():
            _, before = self._states(self.anchor, written, seen)
        value = self.value(state.detach().float())[..., 0]
        log_p = logits.log_softmax(-1)
        log_0 = before.log_softmax(-1)
        divergence = (log_p.exp() * (log_p - log_0)).sum(-1)
        taken = log_p.gather(-1, written[..., None])[..., 0]
        advantage, target = advantages(value.detach(), reward, here, self.game.persistence)
        advantage = (advantage - (advantage * here).sum() / here.sum()) * here
        policy = -(advantage * taken * here).sum() / fakes.shape[0]
        kl = (divergence * here).sum() / fakes.shape[0]
        value_loss = ((value - target).square() * here).sum() / here.sum()
        nll = -self.generator.log_likelihood(tokens, features).mean()
        active = float(self.global_step_index() >= self.game.warm_steps)
        loss = active * (policy + self.game.anchor * kl + self.game.likelihood * nll) + value_loss
        optimiser = self.optimizers()[0]
        optimiser.zero_grad()
        self.manual_backward(loss)
        norm = nn.utils.clip_grad_norm_(self.generator.parameters(), 5.0)
        if active:
            optimiser.step()
        self.optimizers()[2].step(); self.optimizers()[2].zero_grad()
        self.lr_schedulers().step()
        self.log_dict({"kl": kl.detach(), "nll": nll.detach(), "value_loss": value_loss.detach(), "value_none": ((target-(target*here).sum()/here.sum()).square()*here).sum()/here.sum(), "norm": norm},
            on_step=False, on_epoch=True, batch_size=len(fakes))

    def global_step_index(self) -> int:
        return self._step

    def _states(self, generator: Generator, written: Tensor, seen: Tensor):
        last = shifted(written)
        ones = torch.cat([last[..., None], seen + len(generator.vocabulary)], -1)
        x = torch.zeros(*last.shape, generator.embed.in_features)
        x.scatter_(-1, ones, 1.0)
        output, _ = generator.recurrent(generator.embed(x))
        return output, generator.head(output).float()


def advantages(value: Tensor, reward: Tensor, here: Tensor, persistence: float):
    """GAE with no discount: value (L,B) before each token; reward at the end."""
    after = torch.cat([value[1:], torch.zeros_like(value[:1])])
    last = here * (1 - torch.cat([here[1:], torch.zeros_like(here[:1])]))
    delta = (torch.where(last > 0, reward[None], after) - value) * here
    found, running = torch.zeros_like(delta), torch.zeros_like(delta[0])
    for t in range(len(delta) - 1, -1, -1):
        running = delta[t] + persistence * running * here[t]
        found[t] = running
    return found, found + value
