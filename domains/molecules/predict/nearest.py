"""Tanimoto similarities of packed fingerprints, by matrix products of their bits.

The number of common bits of a pair is the product of two rows of zeros and ones: exact in bfloat16,
which processors multiply fastest, as long as no fingerprint has more than 256 bits set.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_ROWS = 4096  # of one block
_EXACT = 256  # whole numbers up to here have no rounding in bfloat16


def counts_of(bits: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(n,) bits set in each packed fingerprint (n, bytes)."""
    return np.bitwise_count(bits).sum(axis=1, dtype=np.int64)


def nearest(
    bits: NDArray[np.uint8],
    others: NDArray[np.uint8] | None = None,
    device: str | torch.device = "cpu",
) -> NDArray[np.float64]:
    """(n,) similarity of each fingerprint to the most similar of the others; NaN where none is.

    Args:
        bits: (n, bytes) uint8.
        others: (m, bytes) uint8; None: the rest of `bits` itself.
        device: where to multiply.
    """
    return neighbours(bits, others, device)[0]


def neighbours(
    bits: NDArray[np.uint8],
    others: NDArray[np.uint8] | None = None,
    device: str | torch.device = "cpu",
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The same, and (n,) which of the others it is; −1 where none is.

    Among others with equally many bits set the most similar is that with the most bits in common,
    so that the others are taken in groups by that number and no quotient is formed for a pair. Of
    equally similar ones it is that with the fewest bits set, then the first.
    """
    own = others is None
    others = bits if others is None else others
    best, which = np.full(len(bits), np.nan), np.full(len(bits), -1)
    if not len(bits) or len(others) <= own:
        return best, which
    ours, theirs = counts_of(bits), counts_of(others)
    kind = _kind(device, ours, theirs)
    left = [_unpacked(bits[k : k + _ROWS], kind, device) for k in range(0, len(bits), _ROWS)]
    for set_bits, members in _groups(theirs):
        right = _unpacked(others[members], kind, device).T
        for block, rows in enumerate(left):
            common = rows @ right
            start = block * _ROWS
            if own:
                inside = (members >= start) & (members < start + len(rows))
                common[members[inside] - start, np.flatnonzero(inside)] = -1
            most, column = (found.cpu() for found in common.max(dim=1))
            part = slice(start, start + len(rows))
            similar = _tanimoto(most.double().numpy(), ours[part] + set_bits)
            better = ~(similar <= best[part]) & ~np.isnan(similar)
            best[part][better] = similar[better]
            which[part][better] = members[column.numpy()[better]]
    return best, which


def mean_similarities(
    bits: NDArray[np.uint8], device: str | torch.device = "cpu"
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n,) mean over all n of the similarity to each, itself included, and of its square."""
    n = len(bits)
    sums = torch.zeros(2, n, dtype=torch.float64, device=device)
    counts = counts_of(bits)
    kind = _kind(device, counts)
    blocks = [slice(k, min(k + _ROWS // 2, n)) for k in range(0, n, _ROWS // 2)]
    rows = [_unpacked(bits[block], kind, device) for block in blocks]
    sizes = torch.from_numpy(counts).to(device=device, dtype=torch.float32)
    for i, here in enumerate(blocks):
        for j in range(i, len(blocks)):
            there = blocks[j]
            common = (rows[i] @ rows[j].T).float()
            union = sizes[here, None] + sizes[None, there] - common
            similarity = torch.where(union > 0, common / union, 1.0)
            for power in (0, 1):
                sums[power, here] += similarity.sum(dim=1, dtype=torch.float64)
                if j > i:
                    sums[power, there] += similarity.sum(dim=0, dtype=torch.float64)
                similarity = similarity.square_()
    first, second = (sums / max(n, 1)).cpu().numpy()
    return first, second


def _kind(device: str | torch.device, *counts: NDArray[np.int64]) -> torch.dtype:
    """The type in which to multiply: the results are the same whole numbers in either."""
    able = torch.cpu.get_capabilities()
    fast = torch.device(device).type != "cpu" or able.get("avx512_bf16") or able.get("amx_bf16")
    exact = max(int(c.max(initial=0)) for c in counts) <= _EXACT
    return torch.bfloat16 if fast and exact else torch.float32


def _groups(counts: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Number of bits set, and at most _ROWS fingerprints that have so many."""
    order = np.argsort(counts, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(counts[order])) + 1):
        for k in range(0, len(members), _ROWS):
            yield int(counts[members[0]]), members[k : k + _ROWS]


def _tanimoto(common: NDArray[np.float64], both: NDArray[np.int64]) -> NDArray[np.float64]:
    """Common bits and the sum of both numbers of bits; two empty ones are alike, −1 is nobody."""
    union = both - common
    similarity = np.divide(common, union, out=np.ones(len(common)), where=union > 0)
    return np.where(common < 0, np.nan, similarity)


def _unpacked(bits: NDArray[np.uint8], kind: torch.dtype, device: str | torch.device) -> Tensor:
    return torch.from_numpy(np.unpackbits(bits, axis=1)).to(device).to(kind)
