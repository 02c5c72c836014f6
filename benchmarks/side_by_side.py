"""Things measured side by side: a process each, in turn, in CPU seconds.

The machine may be shared, so that only CPU time counts and a ratio is taken within a round, in
which all variants run one after another. Each has a process of its own, since the memory that one
has left behind makes another faster or slower.
"""

import multiprocessing
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from machine import processor

from pipelines.core.artifacts import write_json
from pipelines.training.memory import keep_memory

RECORDS = Path(__file__).parent / "records"
PACKAGES = ("torch", "numpy")
PEERS = ("monai", "albumentations", "opencv-python-headless")
WARM_UP = 2


@dataclass(frozen=True)
class Variant:
    """Something to measure: `prepare(*arguments)` gives the work of one round.

    The work returns how many items (images, pairs) it has done. keep_memory: see the function.
    """

    name: str
    prepare: Callable[..., Callable[[], int]]
    arguments: tuple[Any, ...] = ()
    threads: int = 1
    keep_memory: bool = False


@dataclass(frozen=True)
class Bar:
    """The least ratio of two variants' speeds that is asked for."""

    ours: str
    theirs: str
    least: float


@dataclass(frozen=True)
class Speeds:
    """Items per CPU second of each variant (by name), round by round."""

    unit: str
    rounds: dict[str, list[float]] = field(default_factory=dict)

    def rows(self) -> list[dict[str, Any]]:
        """Median and quartiles of each variant."""
        names = ("low", "median", "high")
        return [
            {"variant": name, "unit": self.unit}
            | dict(zip(names, np.percentile(values, (25, 50, 75)).tolist(), strict=True))
            for name, values in self.rounds.items()
        ]

    def ratio(self, bar: Bar) -> dict[str, Any]:
        """Median over the rounds of the ratio within a round, and whether it reaches the bar."""
        pairs = zip(self.rounds[bar.ours], self.rounds[bar.theirs], strict=True)
        ratio = float(np.median([ours / theirs for ours, theirs in pairs]))
        return {**vars(bar), "ratio": ratio, "met": ratio >= bar.least}


def measure(variants: Sequence[Variant], rounds: int, unit: str) -> Speeds:
    """Run the variants in turn, `rounds` times after a warm-up."""
    speeds = Speeds(unit, {variant.name: [] for variant in variants})
    with ExitStack() as stack:
        pipes = {v.name: stack.enter_context(_Worker(v)) for v in variants}
        for turn in range(-WARM_UP, rounds):
            for name, worker in pipes.items():
                speed = worker.run()
                if turn >= 0:
                    speeds.rounds[name].append(speed)
    return speeds


def in_turn(jobs: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Results of jobs (function, *arguments), each in a fresh process, one after another."""
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        return [pool.apply(function, arguments) for function, *arguments in jobs]


class _Worker:
    """A process that prepares a variant and runs a round of it when it is told to."""

    def __init__(self, variant: Variant) -> None:
        context = multiprocessing.get_context("spawn")
        self.name = variant.name
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, variant), daemon=True)
        self.process.start()
        theirs.close()

    def __enter__(self) -> "_Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.pipe.close()
        self.process.join()

    def run(self) -> float:
        """Items per CPU second of one round."""
        self.pipe.send(None)
        try:
            return float(self.pipe.recv())
        except (EOFError, ConnectionResetError):
            raise SystemExit(f"{self.name}: failed, see above") from None


def _serve(pipe: Connection, variant: Variant) -> None:
    set_threads(variant.threads)
    if variant.keep_memory:
        keep_memory()
    work = variant.prepare(*variant.arguments)
    while True:
        try:
            pipe.recv()
        except EOFError:
            return
        start = time.process_time()
        items = work()
        pipe.send(items / (time.process_time() - start))


def set_threads(count: int) -> None:
    """Threads of torch; OpenCV has one."""
    torch.set_num_threads(count)
    cv2.setNumThreads(0)


def record(part: str, content: dict[str, Any], others: Mapping[str, str] | None = None) -> None:
    """Write records/<part>.json, with the machine's processor and the packages' versions.

    others: versions of what is measured beside ours, in place of those of the peers installed.
    """
    RECORDS.mkdir(exist_ok=True)
    names = PACKAGES if others is not None else (*PACKAGES, *PEERS)
    packages = {name: version(name) for name in names} | dict(others or {})
    machine = {"processor": processor(), "packages": packages}
    write_json(RECORDS / f"{part}.json", {**machine, **content})


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as a Markdown table."""
    lines = [list(rows[0]), ["---"] * len(rows[0])]
    lines += [[_cell(value) for value in row.values()] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
