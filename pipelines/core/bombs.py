"""Decompression bombs: small files that would fill the memory when they are unpacked or decoded."""

from __future__ import annotations

POSSIBLE = 1400  # times: deflate shrinks at most 1032 times, LZW a little more
LARGE = 2**31  # bytes, up to which a picture or an array may be blank
USUAL = 300  # times, beyond that: what was measured does not shrink as much


def is_bomb(packed: int, unpacked: float) -> bool:
    """Whether so few bytes cannot hold so many, or should not be let grow to them.

    >>> is_bomb(1000, 1_000_000), is_bomb(1000, 2_000_000), is_bomb(5_000_000, 4e9)
    (False, True, True)
    """
    return unpacked > POSSIBLE * packed or (unpacked > LARGE and unpacked > USUAL * packed)
