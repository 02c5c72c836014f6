"""An n-gram writer of SMILES: the next token by what has followed the same last tokens.

All training positions are kept in the order of what precedes them, read backwards. The positions
that share their last k tokens are then one stretch for every k, so that to draw from the counts is
to draw a position from the stretch, for thousands of molecules at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..prepare.arrays import Corpus

ORDERS = range(2, 8)  # tokens of context; eight, and the next one, would not fit into 64 bits
SMOOTHING = (0.5, 2.0, 8.0)
MOST = 200_000  # molecules learnt from

Keys = NDArray[np.uint64]


@dataclass(frozen=True)
class Writer:
    """keys: sorted contexts of all positions, the last token in the highest byte; following: the
    token there; order: tokens of context; smoothing: weight, in counts, of the next shorter
    context; longest: tokens after which a text is cut off.
    """

    keys: Keys
    following: NDArray[np.uint8]
    order: int
    smoothing: float
    longest: int
    vocabulary: list[str]

    def write(self, count: int, rng: np.random.Generator) -> list[str]:
        """So many SMILES, valid or not."""
        contexts = np.zeros(count, dtype=np.uint64)
        texts = np.zeros((count, self.longest), dtype=np.uint8)
        going = np.arange(count)
        for place in range(self.longest):
            token = self._next(contexts[going], rng)
            texts[going, place] = token
            contexts[going] = (contexts[going] >> np.uint64(8)) | (_wide(token) << np.uint64(56))
            going = going[token > 0]
            if not len(going):
                break
        words = self.vocabulary
        return ["".join([words[t] for t in row]) for row in texts.tolist()]

    def _next(self, contexts: Keys, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Longest context first; one that occurs n times is left for the next with s / (n + s)."""
        token = np.zeros(len(contexts), dtype=np.uint8)
        open_ = np.arange(len(contexts))
        for order in range(self.order, -1, -1):
            first, last = _stretch(self.keys, contexts[open_], order)
            n = last - first
            draws = rng.random((2, len(open_)))
            taken = draws[0] * (n + self.smoothing) < n if order else n > 0
            chosen = first + (draws[1] * n).astype(np.int64)
            token[open_[taken]] = self.following[chosen[taken]]
            open_ = open_[~taken]
        return token


def fit(train: Corpus, validation: Corpus) -> tuple[Writer, dict[str, Any]]:
    """The writer of the highest likelihood on validation, and its settings."""
    keys, following = _positions(train)
    sought, said = _positions(validation)
    best = (-np.inf, ORDERS[0], SMOOTHING[0])
    orders = range(1, ORDERS[-1] + 1)
    counts = [_counts(keys, following, sought, said, order) for order in orders]
    for smoothing in SMOOTHING:
        chance = np.bincount(following, minlength=256) + smoothing / len(train.vocabulary)
        p = (chance / chance.sum())[said]
        for order, (n, hits) in zip(orders, counts, strict=True):
            p = (hits + smoothing * p) / (n + smoothing)
            if order in ORDERS:
                best = max(best, (float(np.log(p).mean()), order, smoothing))
    likelihood, order, smoothing = best
    sort = np.argsort(keys, kind="stable")
    longest = int(train.lengths.max()) + 1
    words = train.vocabulary
    writer = Writer(keys[sort], following[sort], order, smoothing, longest, words)
    rule = {"context": order, "smoothing": smoothing, "validation_nats_per_token": -likelihood}
    return writer, rule


def _positions(corpus: Corpus) -> tuple[Keys, NDArray[np.uint8]]:
    """Of each place of each molecule, its end included: the seven tokens before it, and its own."""
    molecules = min(len(corpus), MOST)
    lengths = corpus.lengths[:molecules] + 1
    total = int(lengths.sum())
    starts = np.cumsum(lengths) - lengths
    ends = np.zeros(total, dtype=bool)
    ends[starts + lengths - 1] = True
    following = np.zeros(total, dtype=np.uint8)
    following[~ends] = corpus.tokens[: int(corpus.offsets[molecules])]
    place = np.arange(total) - np.repeat(starts, lengths)
    keys = np.zeros(total, dtype=np.uint64)
    for back in range(1, ORDERS[-1] + 1):
        before = np.zeros(total, dtype=np.uint8)
        before[back:] = following[:-back]
        before[place < back] = 0  # the end before the start
        keys |= _wide(before) << np.uint64(64 - 8 * back)
    return keys, following


def _stretch(keys: Keys, contexts: Keys, order: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where in the sorted keys those with the same last `order` tokens begin and end."""
    if not order:
        return np.zeros(len(contexts), np.int64), np.full(len(contexts), len(keys))
    rest = np.uint64((1 << (64 - 8 * order)) - 1)
    low, high = contexts & ~rest, contexts | rest
    return np.searchsorted(keys, low, side="left"), np.searchsorted(keys, high, side="right")


def _counts(
    keys: Keys, following: NDArray[np.uint8], sought: Keys, said: NDArray[np.uint8], order: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How often each sought context of `order` tokens occurs, and how often with what was said."""
    shift = np.uint64(64 - 8 * order)
    known = np.sort(((keys >> shift) << np.uint64(8)) | following)
    context = (sought >> shift) << np.uint64(8)
    edges = (context, context | np.uint64(255), context | said)
    low = np.searchsorted(known, edges[0], side="left")
    n = np.searchsorted(known, edges[1], side="right") - low
    hits = [np.searchsorted(known, edges[2], side=side) for side in ("left", "right")]
    return n, hits[1] - hits[0]


def _wide(tokens: NDArray[np.uint8]) -> Keys:
    return tokens.astype(np.uint64)
