"""Molecules as text from a trained generator, in blocks of noise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from pipelines.core.randomness import generator

from ..train.texts import spell
from ..train.writer import Writer

BLOCK = 1024  # molecules written at the same time: one block of noise
_ANEW = 3  # key of a random choice


def noise_of(writer: Writer, n: int, seed: int) -> Iterator[Tensor]:
    """Noise (1024, size), N(0, 1), at a time for at least n molecules.

    Block k depends on (seed, k) alone, and blocks are whole: the last bits of a matrix product
    depend on how many rows it has, and more molecules of a seed must begin with the same.
    """
    for k in range(math.ceil(n / BLOCK)):
        drawn = generator(seed, k).standard_normal((BLOCK, writer.size), dtype=np.float32)
        yield torch.from_numpy(drawn)


def near(start: Tensor, noise: Iterable[Tensor], spread: float, seed: int) -> Iterator[Tensor]:
    """The noise of one molecule with some of its components, chosen by chance, drawn anew.

    A token that is drawn anew is likely where it stands. Instead, a little noise on every component
    would first change the tokens that are unlikely, and fewer of the results would be valid and
    similar: a change alters what may follow it, so that it is better to make few.

    Args:
        start: (1, size), as `Writer.encode` finds it.
        noise: blocks (n, size) from which components are taken.
        spread: the share of them, from 0, the molecule itself, to 1, any molecule.
        seed: of the choice.
    """
    for k, block in enumerate(noise):
        anew = torch.from_numpy(generator(seed, _ANEW, k).random(block.shape)) < spread
        yield torch.where(anew, block, start.cpu())


def tokens_of(
    writer: Writer, noise: Iterable[Tensor], temperature: float
) -> Iterator[NDArray[np.uint8]]:
    """(n, longest + 1) tokens of each block, zeros after the end."""
    for block in noise:
        yield writer.write(block, temperature).to(torch.uint8).cpu().numpy()


def write(writer: Writer, noise: Iterable[Tensor], n: int, temperature: float) -> list[str]:
    """The first n molecules of the noise as they are written, valid or not; "" is nothing."""
    smiles: list[str] = []
    with bar(n, "writing") as progress:
        for tokens in tokens_of(writer, noise, temperature):
            smiles += spell(tokens[: n - len(smiles)], writer.vocabulary)
            progress.update(len(smiles) - progress.n)
    return smiles


def bar(total: int, what: str) -> tqdm[None]:
    """A progress bar that is seen on a terminal only."""
    return tqdm(total=total, desc=what, unit=" molecules", disable=None, leave=False)
