"""Training: molecules per CPU second, and the held-out likelihood after equal CPU seconds.

Tokens differ (MOSES has characters, we have atoms), so the likelihood is that of whole molecules,
in nats, in float32 on both sides.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from molecules_moses import CHAR_RNN, Peer, unpack
from molecules_ours import Ours, first
from molecules_records import record
from side_by_side import Bar, Variant, in_turn, measure, set_threads, table

from domains.molecules.prepare.arrays import read_corpus
from pipelines.training.memory import keep_memory
from pipelines.training.precision import trainer_precision

OURS, OURS_F32 = "ours", "ours, float32"
MOSES = "MOSES CharRNN"
KEPT, HALF = f"{MOSES}, kept memory", f"{MOSES}, kept memory, bf16"
BARS = (Bar(OURS, MOSES, 10.0), Bar(OURS_F32, MOSES, 10.0))
# Where memory and precision are handled alike; no bar was set for it.
ALIKE = (Bar(OURS_F32, KEPT, 1.0), Bar(OURS, HALF, 1.0))
OUR_STEPS, THEIR_STEPS = 20, 4  # of a round: batches among which ours are sorted, batches of 64


def run(arguments: argparse.Namespace) -> None:
    """Measure speeds, train each for as long, print and record."""
    with tempfile.TemporaryDirectory() as scratch:
        wheel = unpack(Path(scratch), CHAR_RNN)
        speeds = measure(_variants(arguments, wheel), arguments.rounds, "molecules / CPU-s")
        ratios = [speeds.ratio(bar) for bar in (*BARS, *ALIKE)]
        print(table(speeds.rows()), table(ratios), sep="\n", flush=True)
        names = (OURS, OURS_F32, MOSES, HALF)
        runs = in_turn([(_learn, name, arguments, wheel) for name in names])
    print(table(runs))
    nats = {row["variant"]: row["held-out nats"] for row in runs}
    seen = {row["variant"]: row["molecules / CPU-s"] for row in runs}
    loss = [
        {"ours": o, "theirs": MOSES, "seen": seen[o] / seen[MOSES], "met": nats[o] < nats[MOSES]}
        for o in (OURS, OURS_F32)
    ]
    print(table(loss))
    if not arguments.quick:
        settings = {
            "cpu_seconds": arguments.seconds,
            "threads": arguments.threads,
            "molecules": arguments.molecules,
            "held_out": arguments.held_out,
            "precision_of_ours": trainer_precision(low=True),
        }
        content = {"settings": settings, "speeds": speeds.rows(), "ratios": ratios}
        record("molecules_train", {**content, "runs": runs, "lower_loss": loss})


def side(name: str, arguments: argparse.Namespace, wheel: Path, molecules: int) -> Ours | Peer:
    """A side by its name, in this process, whose precision and memory it settles."""
    set_threads(arguments.threads)
    if name.startswith("ours"):
        if name == OURS_F32:
            os.environ["SCISTAGE_PRECISION"] = "32-true"
        return Ours(arguments.prepared, molecules, seed=0)
    if "kept memory" in name:
        keep_memory()
    corpus = first(read_corpus(arguments.prepared, "train"), molecules)
    return Peer(wheel, corpus.smiles(), half="bf16" in name)


def _variants(arguments: argparse.Namespace, wheel: Path) -> list[Variant]:
    return [
        Variant(name, _steps, (name, arguments, wheel), arguments.threads)
        for name in (OURS, OURS_F32, MOSES, KEPT, HALF)
    ]


def _steps(name: str, arguments: argparse.Namespace, wheel: Path) -> Callable[[], int]:
    steps = side(name, arguments, wheel, arguments.molecules).steps()
    next(steps)  # what is computed once of all molecules
    count = OUR_STEPS if name.startswith("ours") else THEIR_STEPS
    return lambda: sum(next(steps) for _ in range(count))


def _learn(name: str, arguments: argparse.Namespace, wheel: Path) -> dict[str, Any]:
    learner = side(name, arguments, wheel, arguments.molecules)
    start = time.process_time()
    seen = learner.learn(arguments.seconds)
    seconds = time.process_time() - start
    held_out = first(read_corpus(arguments.prepared, "validation"), arguments.held_out)
    return {
        "variant": name,
        "cpu_seconds": seconds,
        "molecules seen": seen,
        "molecules / CPU-s": seen / seconds,
        "held-out nats": learner.nats(held_out if isinstance(learner, Ours) else held_out.smiles()),
    }
