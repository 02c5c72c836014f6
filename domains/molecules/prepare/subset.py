"""Choosing molecules by a hash of their text: the same on every machine, whatever their order."""

import hashlib
from collections.abc import Sequence

import numpy as np


def in_hash_order(texts: Sequence[str], seed: int, count: int | None = None) -> list[str]:
    """The first `count` texts (None: all) in the order of their hashes, which the seed changes."""
    key = seed.to_bytes(8, "big")
    digest = hashlib.blake2b
    hashes = b"".join([digest(text.encode(), digest_size=8, key=key).digest() for text in texts])
    order = np.argsort(np.frombuffer(hashes, dtype=">u8"), kind="stable")
    return [texts[k] for k in order[:count]]
