"""Sizes that valid padding allows; without torch, since parameters are checked without it."""


def shrink(depth: int, padding: str) -> int:
    """Pixels that a U-Net loses on each side."""
    return 6 * 2**depth - 4 if padding == "valid" else 0


def fits(size: int, depth: int, padding: str) -> int:
    """The smallest edge of at least `size` px that the network takes and gives pixels for.

    With valid padding convolutions and pooling must divide it evenly; same padding takes any.
    """
    if padding == "same":
        return size
    least = max(size, 2 * shrink(depth, padding) + 1)
    return least + -(least + 4) % 2**depth
