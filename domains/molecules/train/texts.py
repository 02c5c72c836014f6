"""What both models do with molecules as rows of tokens, of which token 0 is nothing and the end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from numpy import integer
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from pipelines.training.precision import autocast

from .graph import Alphabet, Graphs

# Tokens (1, batch), features (1, batch, f) and the state so far, to logits and the next state.
Step = Callable[[Tensor, Tensor, Any], tuple[Tensor, Any]]


def spell(tokens: NDArray[integer], vocabulary: list[str]) -> list[str]:
    """Rows of tokens (n, length) as text."""
    return ["".join([vocabulary[t] for t in row]) for row in tokens.tolist()]


def shifted(tokens: Tensor) -> Tensor:
    """(length, batch): the token before each position, 0 before the first."""
    return torch.cat([torch.zeros_like(tokens[:1]), tokens[:-1]])


def inside(tokens: Tensor) -> Tensor:
    """(length, batch) bool: the tokens of a molecule and its end, not what is padded after it."""
    return torch.cat([torch.ones_like(tokens[:1]), tokens[:-1]]) > 0


def ones_at(tokens: Tensor, features: Tensor, vocabulary: int, width: int) -> Tensor:
    """(…, width): ones at the token and, after `vocabulary` places, at the features; else zeros.

    Args:
        tokens: (…) int64.
        features: (…, f) int64, as `graph.features_of` has them.
        vocabulary: number of tokens.
        width: of these and all features.
    """
    places = torch.cat([tokens[..., None], features + vocabulary], -1)
    return torch.zeros(*tokens.shape, width, device=tokens.device).scatter_(-1, places, 1.0)


def nats(logits: Tensor, tokens: Tensor) -> Tensor:
    """(batch,) −log p of whole molecules, the end included.

    Args:
        logits: (length, batch, vocabulary), of each token given those before it.
        tokens: (length, batch), at least one 0 after the last.
    """
    losses = F.cross_entropy(logits.flatten(0, 1), tokens.flatten(), reduction="none")
    return (losses.view(tokens.shape) * inside(tokens)).sum(0)


def computing(device: torch.device) -> AbstractContextManager[object]:
    """How the networks of this domain compute: in bfloat16 where that is native."""
    return autocast(device, low=True)


def recur(network: nn.GRU, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Output and state of a recurrent network; on a GPU without autocast.

    That would compute it in float16, whatever else it computes in, below whose smallest numbers
    gradients of large batches fall.
    """
    if not x.is_cuda:
        return network(x, state)
    with torch.autocast("cuda", enabled=False):
        return network(x.float(), None if state is None else state.float())


def write_out(
    step: Step,
    choose: Callable[[Tensor, int], Tensor],
    alphabet: Alphabet,
    longest: int,
    like: Tensor,
) -> Tensor:
    """Write token by token what a network gives and a rule chooses.

    Args:
        step: of the network.
        choose: logits (batch, vocabulary) and the position, to tokens (batch,).
        alphabet: by which is looked up what each prefix has built.
        longest: most tokens of a molecule.
        like: (batch, …), what is written from: how many molecules, and on which device.

    Returns:
        (batch, longest + 1) int64 tokens, zeros after the end; one without an end is cut.
    """
    device, batch = like.device, len(like)
    graphs = Graphs.empty(alphabet, batch)
    last, state = torch.zeros(batch, dtype=torch.int64, device=device), None
    written = torch.zeros(batch, longest + 1, dtype=torch.int64, device=device)
    ended = torch.zeros(batch, dtype=torch.bool, device=device)
    with computing(device):
        for t in range(longest + 1):
            logits, state = step(last[None], graphs.features()[None], state)
            last = torch.where(ended, 0, choose(logits[0], t))
            ended |= last == 0
            written[:, t] = last
            graphs.write(last)
            if ended.all():
                break
    return written
