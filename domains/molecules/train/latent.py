"""A Wasserstein GAN in the latent space of an autoencoder (LatentGAN; Prykhodko et al. 2019).

A point of that space is a vector of real numbers, so that, unlike for tokens, the critic's gradient
reaches the generator. The critic is held to slope 1 by a penalty (WGAN-GP; Gulrajani et al. 2017).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam

from pipelines.training.sharing import log_means

from .autoencoder import Autoencoder
from .validation import Distance, Validated
from .writer import Writer

_SMALL = 1e-2  # weight of |z|² in the search for a z
_SEARCH, _STRIDE = 100, 0.05  # steps of that search, and their learning rate


class LatentGenerator(nn.Module):
    """G(z): z ~ N(0, I) to a latent vector h, an affine map and a perceptron's correction.

    The affine map alone can be set to the Gaussian of the latents (`begin_with`), and the
    correction begins with 0: the game begins with that Gaussian, not with noise. Like the
    autoencoder's, h is normalised.

    Args:
        size: numbers in z.
        latent: numbers in h.
        hidden: units of the two hidden layers.
    """

    def __init__(self, size: int, latent: int, hidden: int) -> None:
        super().__init__()
        self.size, self.latent = size, latent
        self.affine = nn.Linear(size, latent)
        last = nn.Linear(hidden, latent)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.correction = nn.Sequential(*_layers(size, hidden), last)

    def forward(self, noise: Tensor) -> Tensor:
        """(batch, size) to (batch, latent)."""
        return F.layer_norm(self.affine(noise) + self.correction(noise), (self.latent,))

    @torch.no_grad()
    def begin_with(self, latents: Tensor) -> None:
        """Take on mean and largest principal components of latents (n, latent), n > 1."""
        values, vectors = torch.linalg.eigh(latents.double().T.cov())
        scales = values.clamp(min=0).sqrt()
        kept = min(self.size, self.latent)
        self.affine.weight.zero_()
        self.affine.weight[:, :kept] = (vectors * scales).flip(1)[:, :kept].float()
        self.affine.bias.copy_(latents.mean(0))

    def inverse(self, latents: Tensor) -> Tensor:
        """A z (n, size) for latents (n, latent): |G(z) − h|² + 0.01 |z|² is made small.

        The search begins with the affine map's solution and takes a fixed number of Adam's steps:
        it is deterministic and approximate. G may not reach an h at all.
        """
        weight, bias = self.affine.weight.detach(), self.affine.bias.detach()
        ridge = weight.T @ weight + _SMALL * torch.eye(self.size, device=weight.device)
        start = torch.linalg.solve(ridge, weight.T @ (latents - bias).T).T
        with torch.enable_grad():
            z = start.detach().clone().requires_grad_()
            optimiser = Adam([z], lr=_STRIDE)
            for _ in range(_SEARCH):
                off = (self(z) - latents).square().sum() + _SMALL * z.square().sum()
                (z.grad,) = torch.autograd.grad(off, [z])
                optimiser.step()
        return z.detach()


class LatentCritic(nn.Sequential):
    """f(h): (batch, latent) to (batch, 1), larger for real molecules' h."""

    def __init__(self, latent: int, hidden: int) -> None:
        super().__init__(*_layers(latent, hidden), nn.Linear(hidden, 1))


def _layers(inputs: int, hidden: int) -> list[nn.Module]:
    first, second = nn.Linear(inputs, hidden), nn.Linear(hidden, hidden)
    return [first, nn.LeakyReLU(0.2), second, nn.LeakyReLU(0.2)]


class LatentWriter(nn.Module):
    """A molecule from z: the generator's h, decoded. A `Writer`.

    Args:
        autoencoder: trained before.
        generator: of its latent space.
    """

    def __init__(self, autoencoder: Autoencoder, generator: LatentGenerator) -> None:
        super().__init__()
        self.autoencoder, self.generator = autoencoder, generator
        self.vocabulary, self.longest = autoencoder.vocabulary, autoencoder.longest
        self.size = generator.size

    @classmethod
    def described(cls, model: dict[str, Any]) -> LatentWriter:
        """As `model.json` describes the fit `latent`."""
        return cls(Autoencoder(**model["autoencoder"]), LatentGenerator(**model["generator"]))

    @torch.no_grad()
    def write(self, noise: Tensor, temperature: float = 1.0) -> Tensor:
        """The molecules of some noise.

        Args:
            noise: (batch, size), N(0, 1). It decides all: the decoder takes the likeliest token.
            temperature: standard deviation that the noise is given (the truncation of Brock et al.
                2019); below 1 the molecules are more typical and less diverse.

        Returns:
            (batch, longest + 1) int64 tokens, zeros after the end; one without an end is cut.
        """
        noise = noise.to(self.generator.affine.weight.device)
        with torch.autocast(noise.device.type, enabled=False):
            latents = self.generator(temperature * noise)
        return self.autoencoder.decode(latents)

    def encode(self, tokens: Tensor) -> Tensor:
        """A noise (batch, size) whose molecules are like these; approximate, see `inverse`.

        tokens: (batch, length) int64, zeros after the last, of at least one.
        """
        with torch.autocast(tokens.device.type, enabled=False):
            return self.generator.inverse(self.autoencoder.encode(tokens))


@dataclass(frozen=True)
class LatentGame:
    """critic_steps: a step of the generator; penalty: weight of the critic's (slope − 1)²;
    memory: of the moving average of the generator's weights, a step of it.
    """

    learning_rate: float
    critic_steps: int
    penalty: float
    memory: float


class LatentGan(Validated):
    """The game. What is validated and used later is a moving average of the generator.

    Args:
        writer: its generator is where the game begins; it becomes the average.
        critic: of the same latent space.
        game: how it is played.
        distance: of the valid molecules, as canonical SMILES, to real ones; finite.
    """

    def __init__(
        self, writer: LatentWriter, critic: LatentCritic, game: LatentGame, distance: Distance
    ) -> None:
        super().__init__(distance)
        self.generator = copy.deepcopy(writer.generator)
        self.average, self.critic = writer.requires_grad_(False), critic
        self.game = game

    def writer(self) -> Writer:
        """The average."""
        return self.average

    def training_step(self, batch: Tensor, index: int) -> None:
        """The critic's steps, a part of the batch (n, latent) each; then one of the generator."""
        parts = batch.chunk(self.game.critic_steps)
        with torch.autocast(batch.device.type, enabled=False):
            told = [self._teach(part) for part in parts]
            self._refine(len(parts[0]))
        gain, steep = torch.stack(told).mean(0)
        found = {"wasserstein": gain, "slope_penalty": steep}
        log_means(self, found, len(batch))

    def _teach(self, real: Tensor) -> Tensor:
        with torch.no_grad():
            made = self.generator(self._noise(len(real)))
        gain = self.critic(real).mean() - self.critic(made).mean()
        steep = slope_penalty(self.critic, real, made)
        self._step(0, self.game.penalty * steep - gain)
        return torch.stack([gain, steep]).detach()

    def _refine(self, n: int) -> None:
        self.critic.requires_grad_(False)
        self._step(1, -self.critic(self.generator(self._noise(n))).mean())
        self.critic.requires_grad_(True)
        averages = self.average.generator.parameters()
        for average, now in zip(averages, self.generator.parameters(), strict=True):
            average.lerp_(now.detach(), 1 - self.game.memory)

    def _noise(self, n: int) -> Tensor:
        return torch.randn(n, self.generator.size, device=self.device)

    def _step(self, which: int, loss: Tensor) -> None:
        optimiser = self.optimizers()[which]
        optimiser.zero_grad()
        self.manual_backward(loss)
        optimiser.step()

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam as Gulrajani et al. have it, of the critic and of the generator."""
        rate = self.game.learning_rate
        learnt = (self.critic, self.generator)
        return [Adam(part.parameters(), lr=rate, betas=(0.5, 0.9)) for part in learnt]


def slope_penalty(critic: nn.Module, real: Tensor, made: Tensor) -> Tensor:
    """Mean (|∇f| − 1)² at random points between real and made ones (Gulrajani et al. 2017, eq. 3).

    real, made: (n, latent).
    """
    share = torch.rand(len(real), 1, device=real.device)
    between = torch.lerp(made, real, share).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), [between], create_graph=True)
    return (gradient.norm(dim=1) - 1).square().mean()
