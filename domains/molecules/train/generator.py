"""The generator: a recurrent network that writes SMILES token by token from Gaussian noise."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipelines.core.randomness import generator as seeded

from .graph import Alphabet, features_of
from .texts import computing, inside, nats, ones_at, recur, shifted, write_out

_ENCODED = 8  # key of the noise that is drawn for a molecule
_EDGE = 0.01  # share of a token's part that rounding may give to the next one


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
        seen = ones_at(last, features, len(self.vocabulary), self.embed.in_features)
        output, state = recur(self.recurrent, self.embed(seen), state)
        return self.head(output).float(), state

    def log_likelihood(self, tokens: Tensor, features: Tensor) -> Tensor:
        """(batch,) log p of whole molecules, the end included, in nats.

        Args:
            tokens: (length, batch) int64, zeros after the last token, at least one.
            features: (length, batch, f), as above.
        """
        return -nats(self(shifted(tokens), features)[0], tokens)

    @torch.no_grad()
    def write(self, noise: Tensor, temperature: float = 1.0) -> Tensor:
        """The molecules of some noise.

        Args:
            noise: (batch, size), N(0, 1).
            temperature: logits are divided by it.

        Returns:
            (batch, longest + 1) int64 tokens, zeros after the end; one without an end is cut.
        """
        uniform = torch.special.ndtr(noise.to(self.embed.weight.device))

        def choose(logits: Tensor, place: int) -> Tensor:
            return _chosen(self._bounds(logits, temperature), uniform[:, place])

        return write_out(self, choose, self.alphabet, self.longest, uniform)

    @torch.no_grad()
    def encode(self, tokens: Tensor) -> Tensor:
        """A noise (batch, longest + 1) from which `write` would write these molecules.

        tokens: (batch, length) int64, zeros after the last, of at least one. Of all such noise
        it is one as N(0, I) would draw it, the same in each call: the middle of each part would
        write the same molecule but lie where noise hardly ever lies, among molecules that are
        valid more often than those drawn. What the network holds for impossible to float32
        precision cannot be written again.
        """
        features = features_of(self.alphabet, tokens)
        with computing(tokens.device):
            logits, _ = self(shifted(tokens.T), features.transpose(0, 1))
        bounds = F.pad(self._bounds(logits, 1.0), (1, 0))
        low, high = (bounds.gather(-1, tokens.T[..., None] + k)[..., 0] for k in (0, 1))
        rng = seeded(_ENCODED)
        found = rng.standard_normal((len(tokens), self.size), dtype=np.float32)
        found = torch.from_numpy(found).to(tokens.device)
        length, share = tokens.shape[1], _EDGE + (1 - 2 * _EDGE) * torch.special.ndtr(found)
        within = low + (high - low) * share[:, :length].T
        noise = torch.special.ndtri(within.clamp(1e-7, 1 - 1e-7)).T
        found[:, :length] = torch.where(inside(tokens.T).T, noise, found[:, :length])
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
