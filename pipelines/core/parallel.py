"""The same function for many items in several processes, results in the items' order.

As many processes as SCISTAGE_THREADS; what comes out does not depend on their number.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from pipelines.core.environment import environment
from pipelines.core.errors import UserError
from pipelines.core.runner import set_death_signal

Item = TypeVar("Item")
Chunk = TypeVar("Chunk")
Result = TypeVar("Result")

CHUNK = 2000
FEW = 3  # chunks, for which to start processes would take longer than it saves


def in_parallel(
    function: Callable[[Sequence[Item]], Sequence[Result]], items: Sequence[Item]
) -> Iterator[Result]:
    """`function` of consecutive chunks of the items, the results for items one after another."""
    for _, results in by_chunk(function, items, CHUNK):
        yield from results


def by_chunk(
    function: Callable[[Sequence[Item]], Result], items: Sequence[Item], size: int
) -> Iterator[tuple[slice, Result]]:
    """`function` of consecutive chunks of so many items, with the place of each chunk."""
    places = [slice(k, min(k + size, len(items))) for k in range(0, len(items), size)]
    chunks = (items[place] for place in places)
    run = each_in_parallel if pays(len(places)) else map
    yield from zip(places, run(function, chunks), strict=True)


def pays(chunks: int) -> bool:
    """Whether several processes finish so many chunks earlier than one."""
    return environment().threads > 1 and chunks > FEW


def each_in_parallel(
    function: Callable[[Chunk], Result], chunks: Iterable[Chunk]
) -> Iterator[Result]:
    """`function` of each of any number of chunks, of which only a few are in memory at a time.

    Raises:
        UserError: a process was ended from outside.
    """
    processes = environment().threads
    if processes == 1:
        yield from map(function, chunks)
        return
    waiting: deque[Future[Result]] = deque()
    try:
        # A worker whose parent is killed would wait for work forever.
        with ProcessPoolExecutor(processes, initializer=set_death_signal) as pool:
            for chunk in chunks:
                waiting.append(pool.submit(function, chunk))
                if len(waiting) > 2 * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
    except BrokenProcessPool:
        raise UserError(
            f"SCISTAGE_THREADS: found {processes}; one of so many processes was ended from "
            "outside, often for lack of memory; lower it"
        ) from None
