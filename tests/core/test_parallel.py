"""Chunks in several processes: order, places, and how far ahead they are read."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from pipelines.core import parallel
from pipelines.core.errors import UserError
from pipelines.core.parallel import by_chunk, each_in_parallel, in_parallel


@pytest.fixture(params=["1", "2"])
def processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("SCISTAGE_THREADS", request.param)
    monkeypatch.setattr(parallel, "CHUNK", 3)
    return int(request.param)


def test_results_come_in_the_order_of_the_items(processes: int) -> None:
    assert list(in_parallel(_doubled, range(20))) == [2 * k for k in range(20)]
    assert list(in_parallel(_doubled, [])) == []


def test_every_chunk_comes_with_its_place(processes: int) -> None:
    found = list(by_chunk(sum, range(10), 2))
    assert found == [(slice(k, k + 2), 2 * k + 1) for k in range(0, 10, 2)]


def test_of_an_endless_stream_only_a_few_chunks_are_read(processes: int) -> None:
    read: list[int] = []

    def chunks() -> Iterator[int]:
        while True:
            read.append(len(read))
            yield read[-1]

    results = each_in_parallel(abs, chunks())
    assert [next(results) for _ in range(5)] == list(range(5))
    assert len(read) <= 5 + 2 * processes
    results.close()  # type: ignore[attr-defined]


def test_a_process_that_was_ended_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCISTAGE_THREADS", "2")
    with pytest.raises(UserError, match=r"SCISTAGE_THREADS: found 2; .* ended from outside"):
        list(each_in_parallel(_killed, range(10)))


def _killed(number: int) -> None:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)


def _doubled(items: list[int]) -> list[int]:
    return [2 * item for item in items]
