"""The same function for many items in several processes, results in the items' order."""

import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from pipelines.core.environment import environment
from pipelines.core.runner import set_death_signal

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 2000
FEW = 3 * CHUNK  # to start processes for fewer would take longer than it saves


def in_parallel(
    function: Callable[[Sequence[Item]], list[Result]], items: Sequence[Item]
) -> Iterator[Result]:
    """`function` of consecutive chunks of the items, the results one after another.

    As many processes as SCISTAGE_THREADS; what comes out does not depend on their number.
    """
    chunks = [items[k : k + CHUNK] for k in range(0, len(items), CHUNK)]
    processes = min(environment().threads, len(chunks))
    if processes <= 1 or len(items) <= FEW:
        for chunk in chunks:
            yield from function(chunk)
        return
    with ProcessPoolExecutor(processes, initializer=_die_with_parent) as pool:
        for results in pool.map(function, chunks):
            yield from results


def _die_with_parent() -> None:
    """A worker whose parent is killed would wait for work forever."""
    if platform.system() == "Linux":
        set_death_signal()
