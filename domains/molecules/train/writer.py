"""What the stages after training ask of a generator."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Writer(Protocol):
    """A generator of either model: a function from noise to molecules.

    vocabulary: its tokens, 0 the end; longest: most tokens of a molecule; size: numbers in z.
    """

    vocabulary: list[str]
    longest: int
    size: int

    def write(self, noise: Tensor, temperature: float = 1.0) -> Tensor:
        """(n, size) noise, N(0, 1), to (n, longest + 1) int64 tokens, zeros after the end."""
        ...

    def encode(self, tokens: Tensor) -> Tensor:
        """(n, length) tokens, at least one zero after the last, to a noise (n, size) of theirs."""
        ...
