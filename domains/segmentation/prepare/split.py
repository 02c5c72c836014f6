"""Who goes where: regions of a field of view, and groups of a folder."""

import numpy as np

from pipelines.core.errors import UserError

from .arrays import SPLITS


def regions(extent: int, shares: list[float], gap: int, name: str) -> list[slice]:
    """Cut 0 … extent into consecutive slices, one for each share, `gap` between them.

    name: the parameter that holds `gap`, for the message.

    >>> regions(110, [2, 1, 1], 5, "gap_px")
    [slice(0, 50, None), slice(55, 80, None), slice(85, 110, None)]
    """
    free = extent - gap * (len(shares) - 1)
    if free < len(shares):
        raise UserError(f"{name}: {gap} leave nothing of {extent}, lower it")
    ends = np.round(np.cumsum(shares) / sum(shares) * free).astype(int)
    starts = np.concatenate([[0], ends[:-1]])
    if (ends <= starts).any():
        raise UserError(f"shares: {shares} leave a split empty; raise the smallest")
    return [
        slice(int(a) + k * gap, int(b) + k * gap)
        for k, (a, b) in enumerate(zip(starts, ends, strict=True))
    ]


def split_groups(sizes: dict[str, int], shares: list[float], seed: int) -> dict[str, str]:
    """Assign whole groups to train, validation and test, by the number of samples in them.

    The larger groups first, those of a size in random order, each goes where most is missing, so
    that every split has at least one. Depends on the seed and the names alone, not on the order of
    `sizes`.
    """
    if len(sizes) < len(SPLITS):
        raise UserError(
            f"folder: {len(sizes)} group(s) found, but train, validation and test need one each; "
            "add images or name more groups in groups.csv"
        )
    names = sorted(sizes)
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort([-sizes[names[k]] for k in order], kind="stable")]
    wanted = np.array(shares) / sum(shares) * sum(sizes.values())
    given = np.zeros(len(SPLITS))
    chosen: dict[str, str] = {}
    for done, k in enumerate(order):
        empty = given == 0
        missing = (wanted - given) / wanted
        if empty.sum() >= len(names) - done:  # the last groups are for splits that have none
            missing[~empty] = -np.inf
        split = int(np.argmax(missing))
        given[split] += sizes[names[k]]
        chosen[names[k]] = SPLITS[split]
    return chosen
