"""The generator: a recurrent network that writes SMILES token by token from Gaussian noise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from pipelines.core.randomness import generator as seeded
from pipelines.training.precision import autocast

from .graph import Alphabet, Graphs, features_of
from .writer import Writer

_TOGETHER = 1024  # molecules written at the same time: one block of noise


class Generator(nn.Module):
    """G(z): noise to a SMILES, through a recurrent network over the tokens (Cho et al. 2014).

    Before each token the network sees the last one and what the prefix has built (see `graph`),
    and gives the next token's probabilities p. The noise z ~ N(0, I) has a component for each
    token: the one in whose part of [0, 1] the number Φ(z_t) falls, where token k's part has the
    length p_k, is written. So a SMILES has just the probability that the network gives it, while
    G itself is a function: the same z is the same molecule, and `encode` finds a z for any other.

    Args:
        vocabulary: tokens; index 0 is "", start and end.
        hidden: recurrent units.
        embedding: size of what the recurrent layer reads.
        layers: recurrent layers.
        longest: most tokens of a molecule; z has `size` numbers, one more.
    """

    def __init__(
        self, vocabulary: list[str], hidden: int, embedding: int, layers: int, longest: int
    ) -> None:
        super().__init__()
        self.vocabulary, self.longest, self.size = vocabulary, longest, longest + 1
        self.alphabet = Alphabet(vocabulary)
        self.embed = nn.Linear(len(vocabulary) + self.alphabet.total, embedding, bias=False)
        nn.init.normal_(self.embed.weight, std=0.5)
        self.recurrent = nn.GRU(embedding, hidden, layers)
        self.head = nn.Linear(hidden, len(vocabulary))

    def forward(
        self, last: Tensor, features: Tensor, state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Scores of the next token.

        Args:
            last: (length, batch) int64, the token before each position, 0 at the start.
            features: (length, batch, f) int64, as `graph.features_of` has them.
            state: (layers, batch, hidden), from an earlier call; zeros if None.

        Returns:
            (length, batch, vocabulary) logits, float32, and the state after the last position.
        """
        ones = torch.cat([last[..., None], features + len(self.vocabulary)], -1)
        seen = torch.zeros(*last.shape, self.embed.in_features, device=last.device)
        seen.scatter_(-1, ones, 1.0)
        output, state = self.recurrent(self.embed(seen), state)
        return self.head(output).float(), state

    def log_likelihood(self, tokens: Tensor, features: Tensor) -> Tensor:
        """(batch,) log p of whole molecules, the end included, in nats.

        Args:
            tokens: (length, batch) int64, zeros after the last token, at least one.
            features: (length, batch, f), as above.
        """
        logits, _ = self(shifted(tokens), features)
        losses = F.cross_entropy(logits.flatten(0, 1), tokens.flatten(), reduction="none")
        return -(losses.view(tokens.shape) * inside(tokens)).sum(0)

    @torch.no_grad()
    def write(self, noise: Tensor, temperature: float = 1.0) -> Tensor:
        """The molecules of some noise.

        Args:
            noise: (batch, size), N(0, 1).
            temperature: logits are divided by it.

        Returns:
            (batch, longest + 1) int64 tokens, zeros after the end; one without an end is cut.
        """
        device, batch = self.embed.weight.device, len(noise)
        noise = torch.special.ndtr(noise.to(device))
        graphs = Graphs.empty(self.alphabet, batch)
        last, state = torch.zeros(batch, dtype=torch.int64, device=device), None
        written = torch.zeros(batch, self.longest + 1, dtype=torch.int64, device=device)
        ended = torch.zeros(batch, dtype=torch.bool, device=device)
        with computing(device):
            for t in range(self.longest + 1):
                logits, state = self(last[None], graphs.features()[None], state)
                last = _chosen(self._bounds(logits[0], temperature), noise[:, t])
                last = torch.where(ended, 0, last)
                ended |= last == 0
                written[:, t] = last
                graphs.write(last)
                if ended.all():
                    break
        return written

    @torch.no_grad()
    def encode(self, tokens: Tensor) -> Tensor:
        """A noise (batch, longest + 1) from which `write` would write these molecules.

        tokens: (batch, length) int64, zeros after the last, of at least one. Of all such noise it
        is the middle one, and 0 after the end. What the network holds for impossible to float32
        precision cannot be written again.
        """
        features = features_of(self.alphabet, tokens)
        with computing(tokens.device):
            logits, _ = self(shifted(tokens.T), features.transpose(0, 1))
        bounds = F.pad(self._bounds(logits, 1.0), (1, 0))
        low, high = (bounds.gather(-1, tokens.T[..., None] + k)[..., 0] for k in (0, 1))
        middle = torch.special.ndtri(((low + high) / 2).clamp(1e-7, 1 - 1e-7))
        found = torch.zeros(len(tokens), self.longest + 1, device=tokens.device)
        found[:, : tokens.shape[1]] = (middle * inside(tokens.T)).T
        return found

    def _bounds(self, logits: Tensor, temperature: float) -> Tensor:
        """Where each token's part of [0, 1] ends. A matrix product: sums in a fixed order."""
        size = logits.shape[-1]
        upper = torch.ones(size, size, device=logits.device).triu()
        with torch.autocast(logits.device.type, enabled=False):
            return (logits / temperature).softmax(-1) @ upper


def _chosen(bounds: Tensor, uniform: Tensor) -> Tensor:
    """The first token whose part of [0, 1] ends above the number."""
    above = bounds > uniform[:, None]
    return torch.where(above.any(1), above.int().argmax(1), bounds.shape[1] - 1)


def shifted(tokens: Tensor) -> Tensor:
    """(length, batch): the token before each position."""
    return torch.cat([torch.zeros_like(tokens[:1]), tokens[:-1]])


def inside(tokens: Tensor) -> Tensor:
    """(length, batch) bool: the tokens of a molecule and its end, not what is padded after it."""
    return torch.cat([torch.ones_like(tokens[:1]), tokens[:-1]]) > 0


def computing(device: torch.device) -> AbstractContextManager[object]:
    """How the networks of this domain compute: in bfloat16 where that is native."""
    return autocast(device, low=True)


def noise_blocks(seed: int, n: int, size: int) -> Iterator[Tensor]:
    """Standard normal noise (up to 1024, size) for n molecules; more of them begin with the same.

    Args:
        seed: of all; block k depends on (seed, k) alone.
        n: molecules.
        size: of each one's noise.
    """
    for k, start in enumerate(range(0, n, _TOGETHER)):
        block = seeded(seed, k).standard_normal((_TOGETHER, size), dtype=np.float32)
        yield torch.from_numpy(block[: n - start])


def draw(
    generator: Writer, n: int, seed: int, temperature: float = 1.0
) -> Iterator[NDArray[np.uint8]]:
    """Write n molecules: (up to 1024, longest + 1) tokens at a time, zeros after the end."""
    for noise in noise_blocks(seed, n, generator.size):
        yield generator.write(noise, temperature).to(torch.uint8).cpu().numpy()


def spell(tokens: NDArray[np.integer], vocabulary: list[str]) -> list[str]:
    """Rows of tokens (n, length) as text; token 0 is nothing."""
    return ["".join([vocabulary[t] for t in row]) for row in tokens.tolist()]
