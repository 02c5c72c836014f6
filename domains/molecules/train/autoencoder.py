"""A sequence autoencoder: a molecule to a point h of a latent space, and h to a molecule."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipelines.training.sharing import log_means

from .batches import Batch, LengthBatches
from .graph import Alphabet, features_of
from .likelihood import Likelihood
from .texts import inside, nats, ones_at, recur, shifted, write_out

_TOGETHER = 1024  # molecules encoded at the same time


class Autoencoder(nn.Module):
    """Two recurrent networks: one reads a SMILES both ways, one writes it again from h alone.

    h is normalised: its numbers have mean 0 and variance 1. In training Gaussian noise blurs it,
    so that what lies near a molecule's h is decoded like it. As does `Generator`, both networks
    see what the prefix has built; of what follows the decoder knows h only, and takes the likeliest
    token each time: it is a function of h.

    Args:
        vocabulary: tokens; index 0 is "", start and end.
        hidden: recurrent units of the decoder; the encoder has half of them each way.
        embedding: size of what the recurrent layers read of a token.
        layers: recurrent layers of the decoder.
        latent: numbers in h.
        blur: standard deviation of the noise on h in training.
        longest: most tokens of a molecule.
    """

    def __init__(
        self,
        vocabulary: list[str],
        hidden: int,
        embedding: int,
        layers: int,
        latent: int,
        blur: float,
        longest: int,
    ) -> None:
        super().__init__()
        self.vocabulary, self.longest = vocabulary, longest
        self.latent, self.blur = latent, blur
        self.alphabet = Alphabet(vocabulary)
        self.read, self.embed = (
            nn.Linear(len(vocabulary) + self.alphabet.total, embedding, bias=False)
            for _ in range(2)
        )
        nn.init.normal_(self.read.weight, std=0.5)
        nn.init.normal_(self.embed.weight, std=0.5)
        self.recurrent = nn.ModuleDict(
            {
                "onwards": nn.GRU(embedding, hidden // 2),
                "backwards": nn.GRU(embedding, hidden // 2),
                "decoder": nn.GRU(embedding + latent, hidden, layers),
            }
        )
        self.squeeze = nn.Linear(4 * (hidden // 2), latent)
        self.start = nn.Linear(latent, layers * hidden)
        self.head = nn.Linear(hidden, len(vocabulary))

    def embedded(self, tokens: Tensor, features: Tensor) -> Tensor:
        """h (batch, latent), float32, of tokens (length, batch) and features (length, batch, f)."""
        here = inside(tokens)
        last = here.sum(0) - 1  # each one's end
        places = torch.arange(len(tokens), device=tokens.device)[:, None]
        back = (last - places).clamp(min=0)  # from the end to the first token
        x = self.read(self._ones(tokens, features))
        turned = x.gather(0, back[..., None].expand_as(x))
        found = []
        for name, read in (("onwards", x), ("backwards", turned)):
            states, _ = recur(self.recurrent[name], read)
            final = states.gather(0, last[None, :, None].expand(1, -1, states.shape[2]))[0]
            found += [final, (states * here[..., None]).sum(0) / (last + 1)[:, None]]
        return F.layer_norm(self.squeeze(torch.cat(found, 1)).float(), (self.latent,))

    def scores(
        self, last: Tensor, features: Tensor, latent: Tensor, state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Logits (length, batch, vocabulary) of the next tokens, float32, and the state after.

        Args:
            last: (length, batch) int64, the token before each position, 0 at the start.
            features: (length, batch, f) int64, as `graph.features_of` has them.
            latent: (batch, latent), h.
            state: (layers, batch, hidden), from an earlier call; at the start None.
        """
        x = self.embed(self._ones(last, features))
        x = torch.cat([x, latent.to(x.dtype).expand(len(last), -1, -1)], -1)
        if state is None:
            hidden = torch.tanh(self.start(latent)).to(x.dtype)
            state = torch.stack(hidden.chunk(self.recurrent["decoder"].num_layers, -1))
        output, state = recur(self.recurrent["decoder"], x, state)
        return self.head(output).float(), state

    def forward(self, tokens: Tensor, features: Tensor) -> Tensor:
        """Logits of each token given those before it and h, which is blurred in training."""
        latent = self.embedded(tokens, features)
        if self.training:
            latent = latent + self.blur * torch.randn_like(latent)
        return self.scores(shifted(tokens), features, latent)[0]

    def log_likelihood(self, tokens: Tensor, features: Tensor) -> Tensor:
        """(batch,) log p of whole molecules given their own h, the end included, in nats."""
        return -nats(self(tokens, features), tokens)

    @torch.no_grad()
    def encode(self, tokens: Tensor) -> Tensor:
        """h (batch, latent) in full precision.

        tokens: (batch, length) int64, zeros after the last, of at least one.
        """
        features = features_of(self.alphabet, tokens)
        with torch.autocast(tokens.device.type, enabled=False):
            return self.embedded(tokens.T, features.transpose(0, 1))

    @torch.no_grad()
    def decode(self, latent: Tensor) -> Tensor:
        """h (batch, latent) to tokens (batch, longest + 1) int64, zeros after the end."""

        def step(last: Tensor, features: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
            return self.scores(last, features, latent, state)

        return write_out(
            step, lambda logits, _: logits.argmax(-1), self.alphabet, self.longest, latent
        )

    def _ones(self, tokens: Tensor, features: Tensor) -> Tensor:
        """(length, batch, …): ones at the token and at the features, else zeros."""
        return ones_at(tokens, features, len(self.vocabulary), self.embed.in_features)


class Reconstruction(Likelihood):
    """Maximum likelihood of each molecule given its own h: an `Autoencoder` is the generator."""

    def validation_step(self, batch: Batch, index: int) -> None:
        """Nats a molecule, and the share of molecules that `decode` would write exactly.

        While the prefix is right, the decoder is in the state that the real prefix puts it in: it
        writes the molecule just if the likeliest token is right everywhere.
        """
        tokens, features = batch
        logits, here = self.generator(tokens, features), inside(tokens)
        exact = ((logits.argmax(-1) == tokens) | ~here).all(0)
        found = {
            "val_nats": nats(logits, tokens).mean(),
            "val_exact": exact.float().mean(),
        }
        log_means(self, found, tokens.shape[1])


@torch.no_grad()
def encode_all(autoencoder: Autoencoder, molecules: LengthBatches) -> Tensor:
    """h (n, latent) of all molecules in their order, in full precision."""
    device = autoencoder.head.weight.device
    order = np.argsort(molecules.corpus.lengths, kind="stable")
    latents = torch.empty(len(order), autoencoder.latent)
    with torch.autocast(device.type, enabled=False):
        for start in range(0, len(order), _TOGETHER):
            chosen = order[start : start + _TOGETHER]
            tokens, features = molecules.molecules(chosen)
            latents[chosen] = autoencoder.embedded(tokens.to(device), features.to(device)).cpu()
    return latents
