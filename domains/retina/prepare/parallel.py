"""The same function for many items in several processes, results in the items' order."""

import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from pipelines.core.environment import environment
from pipelines.core.runner import set_death_signal

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 64


def in_parallel(
    function: Callable[[Sequence[Item]], Result], items: Sequence[Item]
) -> Iterator[tuple[slice, Result]]:
    """`function` of consecutive chunks of the items, with the place of each chunk.

    As many processes as SCISTAGE_THREADS; what comes out does not depend on their number.
    """
    places = [slice(k, min(k + CHUNK, len(items))) for k in range(0, len(items), CHUNK)]
    chunks = [items[place] for place in places]
    processes = min(environment().threads, len(chunks))
    if processes <= 1 or len(chunks) <= 2:
        yield from zip(places, map(function, chunks), strict=True)
        return
    with ProcessPoolExecutor(processes, initializer=_die_with_parent) as pool:
        yield from zip(places, pool.map(function, chunks), strict=True)


def _die_with_parent() -> None:
    """A worker whose parent is killed would wait for work forever."""
    if platform.system() == "Linux":
        set_death_signal()
