"""Tanimoto similarities of packed fingerprints, by matrix products of their bits.

The number of common bits of a pair is the product of two rows of zeros and ones: exact in int8,
which processors with such instructions multiply fastest, and in bfloat16, for GPUs, as long as no
fingerprint has more than 256 bits set.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_ROWS = 2048  # of one block: the products stay in the processor's cache
_WHOLE = ("avx512_vnni", "avx_vnni", "amx_int8")  # instructions that multiply int8
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
            common = _products(rows, right)
            start = block * _ROWS
            if own:
                inside = (members >= start) & (members < start + len(rows))
                common[members[inside] - start, np.flatnonzero(inside)] = -1
            most = common.amax(dim=1).double().cpu().numpy()
            part = slice(start, start + len(rows))
            similar = _tanimoto(most, ours[part] + set_bits)
            better = np.flatnonzero(~(similar <= best[part]) & ~np.isnan(similar))
            best[part][better] = similar[better]
            which[part][better] = members[common[better].argmax(dim=1).cpu().numpy()]
    return best, which


def mean_similarities(
    bits: NDArray[np.uint8], device: str | torch.device = "cpu"
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n,) mean over all n of the similarity to each, itself included, and of its square."""
    n = len(bits)
    sums = torch.zeros(2, n, dtype=torch.float64, device=device)
    counts = counts_of(bits)
    kind = _kind(device, counts)
    blocks = [slice(k, min(k + _ROWS, n)) for k in range(0, n, _ROWS)]
    rows = [_unpacked(bits[block], kind, device) for block in blocks]
    sizes = torch.from_numpy(counts).to(device=device, dtype=torch.float32)
    for i, here in enumerate(blocks):
        for j in range(i, len(blocks)):
            there = blocks[j]
            common = _products(rows[i], rows[j].T).float()
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
    if torch.device(device).type == "cpu":
        able = torch.cpu.get_capabilities()
        return torch.int8 if any(able.get(name) for name in _WHOLE) else torch.float32
    exact = max(int(c.max(initial=0)) for c in counts) <= _EXACT
    return torch.bfloat16 if exact else torch.float32


def _products(rows: Tensor, columns: Tensor) -> Tensor:
    return torch._int_mm(rows, columns) if rows.dtype == torch.int8 else rows @ columns


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
