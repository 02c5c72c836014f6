"""Rejection sampling: of what the generator writes, what the critic takes for real.

A perfect critic's D / (1 − D) is the ratio of the data's density to the generator's, so draws that
are accepted with a probability proportional to it are distributed as the data (discriminator
rejection sampling; Azadi et al. 2019, arXiv:1810.06758). The ratio has no bound that is known: it
is capped at a high quantile, beyond which the critic's preferences are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipelines.core.parallel import in_parallel
from pipelines.core.randomness import generator
from pipelines.training.precision import computing_device

from ..train.chemistry import look_at, parse
from ..train.texts import spell
from ..train.writer import Writer
from .writing import BLOCK, bar, noise_of, tokens_of

QUANTILE = 0.95  # of the first block's log odds: where they are capped
MOST = 20  # draws for each molecule that is wanted
_NOISE, _ACCEPT = 1, 2  # keys of the random draws
_TOGETHER = 8  # blocks that are looked at together

Judged = tuple[list[str], NDArray[np.bool_], NDArray[np.float32]]


@dataclass
class Accepted:
    """SMILES that were accepted, and of how many draws, valid ones among them.

    cap: log odds of being real from which on a valid draw is accepted always.
    """

    smiles: list[str] = field(default_factory=list)
    drawn: int = 0
    valid: int = 0
    cap: float | None = None


def reject(writer: Writer, critic: nn.Module, n: int, seed: int, temperature: float) -> Accepted:
    """Draw until n molecules are accepted, or until 20 n are drawn.

    Args:
        writer: what draws, from other noise than `writing.write` with this seed.
        critic: tokens (m, length) and what `look_at` sees of them, to log odds (m,) of being real.
        n: molecules that are wanted.
        seed: of the noise and of the choice.
        temperature: of the draws.
    """
    noise = noise_of(writer, MOST * n, int(generator(seed, _NOISE).integers(2**63)))
    found = Accepted()
    with bar(n, "accepting") as progress:
        for k, block in enumerate(_judged(writer, critic, noise, temperature)):
            chance = generator(seed, _ACCEPT, k).random(len(block[0]))
            _accept(found, block, chance, n)
            progress.update(len(found.smiles) - progress.n)
            if len(found.smiles) == n:
                break
    return found


def _accept(found: Accepted, block: Judged, chance: NDArray[np.float64], n: int) -> None:
    """Add what is accepted of a block; what comes after the last one needed was not drawn."""
    smiles, valid, odds = block
    if found.cap is None and valid.any():
        found.cap = float(np.quantile(odds[valid], QUANTILE))
    taken = np.zeros(len(valid), dtype=bool)
    if found.cap is not None:
        taken = valid & (np.log1p(-chance) < odds - found.cap)
    places = np.flatnonzero(taken)[: n - len(found.smiles)].tolist()
    found.smiles += [smiles[place] for place in places]
    drawn = places[-1] + 1 if len(found.smiles) == n else len(smiles)
    found.drawn += drawn
    found.valid += int(valid[:drawn].sum())


def _judged(
    writer: Writer, critic: nn.Module, noise: Iterable[Tensor], temperature: float
) -> Iterator[Judged]:
    """Of each block: SMILES, whether they are valid, and the critic's log odds."""
    blocks = tokens_of(writer, noise, temperature)
    while together := list(islice(blocks, _TOGETHER)):
        tokens = np.concatenate(together)
        smiles = spell(tokens, writer.vocabulary)
        seen = in_parallel(_seen, smiles)
        for start in range(0, len(tokens), BLOCK):
            part = slice(start, start + BLOCK)
            looked = np.stack(list(islice(seen, BLOCK)))
            yield smiles[part], looked[:, -1] == 0, _log_odds(critic, tokens[part], looked)


def _seen(smiles: Sequence[str]) -> list[NDArray[np.float32]]:
    return list(look_at(parse(smiles)))


@torch.no_grad()
def _log_odds(
    critic: nn.Module, tokens: NDArray[np.uint8], seen: NDArray[np.float32]
) -> NDArray[np.float32]:
    device = computing_device()
    texts = torch.from_numpy(tokens).long().to(device)
    return critic(texts, torch.from_numpy(seen).to(device)).cpu().numpy()
