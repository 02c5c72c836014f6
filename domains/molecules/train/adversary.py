"""The adversarial game: a critic learns to tell written molecules, the writer learns to pass.

The generator G maximises E[r] − β KL(G‖G₀), where r is the critic's logit and G₀ the generator as
likelihood has left it. A perfect critic's logit is log p − log q for the data p and the written q,
so that with β = 0 the optimum is q = p; the anchor β keeps a critic's mistakes from being
exploited, as they were in ORGAN (Guimaraes et al. 2017). Molecules are discrete, so the gradient is
REINFORCE's (Williams 1992; SeqGAN, Yu et al. 2017) with the mean reward of the others of the batch
for a baseline (Kool et al. 2019). The divergence of the next token is differentiated exactly at
each written one; what a token does to the divergences after it is taken off its reward.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from rdkit.Chem import Mol
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW
from torch.optim.lr_scheduler import LinearLR

from pipelines.core.processes import processes, rank
from pipelines.training.sharing import gathered, log_means, part

from .chemistry import look_at, parse
from .critic import Critic
from .generator import Generator
from .graph import features_of
from .rounds import Round
from .scorers import Scorer
from .texts import inside, shifted, spell
from .validation import Distance, Validated

CLIP = 5.0  # largest norm of the generator's gradient


@dataclass(frozen=True)
class Game:
    """How it is played; see `AdversarialParams`. steps: of the generator, in all."""

    samples: int
    learning_rate: float
    critic_learning_rate: float
    anchor: float
    likelihood: float
    limit: float
    invalid: float
    replay: int
    goal_strength: float
    steps: int


class Adversary(Validated):
    """Each step writes molecules, teaches the critic, and refines the generator.

    In the first epoch the critic learns alone: what is validated then is the generator of
    likelihood.

    Args:
        generator: trained by likelihood.
        critic: untrained.
        game: how it is played.
        distance: validates what is written.
        scorer: a further reward, if not None.
    """

    def __init__(
        self,
        generator: Generator,
        critic: Critic,
        game: Game,
        distance: Distance,
        scorer: Scorer | None = None,
    ) -> None:
        super().__init__(distance, scorer)
        self.generator, self.critic, self.game = generator, critic, game
        self.anchor = copy.deepcopy(generator).requires_grad_(False).eval()
        self.fakes = torch.zeros(0, generator.size, dtype=torch.uint8)  # replayed to the critic
        self.fakes_seen = torch.zeros(0, 0)

    def writer(self) -> Generator:
        """The generator as it is."""
        return self.generator

    def training_step(self, batch: Round, index: int) -> None:
        """One round of the game."""
        fakes = self.generator.write(torch.randn(part(self.game.samples), self.generator.size))
        mols = self._mols(fakes)
        seen = torch.from_numpy(look_at(mols)).to(self.device)
        self._remember(fakes, seen)
        told = [self._teach(real, shown) for real, shown in batch.real]
        found = {"critic_loss": torch.stack(told).mean(), "valid": 1 - seen[:, -1].mean()}
        if self.current_epoch > 0:
            found |= self._refine(fakes, self._rewards(fakes, seen, mols), batch)
        log_means(self, found, len(fakes))

    def _mols(self, tokens: Tensor) -> list[Mol | None]:
        return parse(spell(tokens.cpu().numpy(), self.generator.vocabulary))

    def _remember(self, fakes: Tensor, seen: Tensor) -> None:
        kept, last, most = len(self.fakes) > 0, fakes.to(torch.uint8), part(self.game.replay)
        if kept:  # on the CPU after a resumption
            last = torch.cat([last, self.fakes.to(last.device)])[:most]
            seen = torch.cat([seen, self.fakes_seen.to(seen.device)])[:most]
        self.fakes, self.fakes_seen = last, seen

    def _teach(self, real: Tensor, shown: Tensor) -> Tensor:
        """A step of the critic: real molecules against as many of those last written."""
        chosen = torch.randint(len(self.fakes), (len(real),), device=self.device)
        self.critic.train()
        logits = self.critic(
            torch.cat([real, self.fakes[chosen].long()]),
            torch.cat([shown, self.fakes_seen[chosen]]),
        )
        truth = torch.arange(len(logits), device=self.device) < len(real)
        loss = F.binary_cross_entropy_with_logits(logits, truth.float())
        optimiser = self.optimizers()[0]
        optimiser.zero_grad()
        self.manual_backward(loss)
        optimiser.step()
        return loss.detach()

    @torch.no_grad()
    def _rewards(self, fakes: Tensor, seen: Tensor, mols: list[Mol | None]) -> Tensor:
        """(samples,): the critic's logit within ± limit; −invalid for no molecule; the goals."""
        game = self.game
        self.critic.eval()
        logits = self.critic(fakes, seen).clamp(-game.limit, game.limit)
        rewards = torch.where(seen[:, -1] > 0, -game.invalid, logits)
        if self.scorer is not None:
            rewards += game.goal_strength * torch.from_numpy(self.scorer(mols)).to(rewards)
        return rewards

    def _refine(self, fakes: Tensor, rewards: Tensor, batch: Round) -> dict[str, Tensor]:
        """A step of the generator, among molecules of its own and real ones."""
        count, game = len(fakes), self.game
        longest = int((fakes > 0).sum(1).max()) + 1
        log_p, log_0, written = self._log_probabilities(fakes[:, :longest])
        here = inside(written)
        divergences = (log_p.exp() * (log_p - log_0)).sum(-1) * here
        divergence = divergences.sum() / count
        chosen = log_p.gather(-1, written[..., None])[..., 0] * here
        gain = (self._advantages(rewards, divergences.detach()) * chosen).sum() / count
        nats = -self.generator.log_likelihood(*batch.likelihood).mean()
        loss = game.anchor * divergence + game.likelihood * nats - gain
        optimiser = self.optimizers()[1]
        optimiser.zero_grad()
        self.manual_backward(loss)
        nn.utils.clip_grad_norm_(self.generator.parameters(), CLIP)
        optimiser.step()
        self.lr_schedulers().step()
        return {"reward": rewards.mean(), "kl": divergence.detach(), "nats": nats.detach()}

    def _advantages(self, rewards: Tensor, divergences: Tensor) -> Tensor:
        """(length, batch): of each token what comes of it, less that of the other molecules."""
        later = divergences.sum(0) - divergences.cumsum(0)
        gained = rewards - self.game.anchor * later
        count = len(rewards)
        return (gained - gained.mean(1, keepdim=True)) * count / max(count - 1, 1)

    def _log_probabilities(self, fakes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(length, batch, tokens) of the generator and of the anchor, and the tokens written."""
        written = fakes.T.contiguous()
        features = features_of(self.generator.alphabet, fakes).transpose(0, 1)
        logits, _ = self.generator(shifted(written), features)
        with torch.no_grad():
            before, _ = self.anchor(shifted(written), features)
        return logits.log_softmax(-1), before.log_softmax(-1), written

    def configure_optimizers(self) -> tuple[list[AdamW], list[LinearLR]]:
        """Of the critic, and of the generator with a rate that falls to 0."""
        game = self.game
        critic = AdamW(self.critic.parameters(), lr=game.critic_learning_rate, betas=(0.9, 0.99))
        refined = AdamW(
            self.generator.parameters(), lr=game.learning_rate, betas=(0.9, 0.99), weight_decay=0.0
        )
        return [critic, refined], [LinearLR(refined, 1.0, 0.0, total_iters=game.steps)]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The molecules that are replayed, as many by each process, belong to the game's state."""
        checkpoint["fakes"] = gathered(self.fakes)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Look at them anew."""
        self.fakes = checkpoint["fakes"].chunk(processes())[rank()]
        self.fakes_seen = torch.from_numpy(look_at(self._mols(self.fakes)))
