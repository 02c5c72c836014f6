"""Sampling: molecules written per CPU second, by what each side has learnt in equal CPU seconds.

How long a molecule takes depends on its length, so both are trained before; each writes in its own
batches, MOSES also in larger ones than its own scripts'.
"""

import argparse
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from molecules_moses import CHAR_RNN, unpack
from molecules_ours import Ours
from molecules_records import record
from molecules_train import KEPT, MOSES, OURS, OURS_F32, side
from rdkit import Chem, rdBase
from side_by_side import Bar, Variant, in_turn, measure, table

from pipelines.training.precision import trainer_precision
from pipelines.training.weights import read_weights, write_weights

LEARN_FROM = 50_000  # molecules, or all that there are: as in the preset `quick`
SHOWN = 512  # molecules of which validity and lengths are told
BATCHES = (32, 256, 1024)  # of MOSES' scripts, larger, and as many as we write at once
THEIRS = {n: f"{MOSES}, batch {n}" for n in BATCHES}
BARS = (Bar(OURS, THEIRS[32], 20.0), Bar(OURS, THEIRS[256], 20.0), Bar(OURS, THEIRS[1024], 20.0))
# With our precision as theirs; no bar was set for it.
ALIKE = tuple(Bar(OURS_F32, name, 1.0) for name in THEIRS.values())


def run(arguments: argparse.Namespace) -> None:
    """Train each, measure, print and record."""
    with tempfile.TemporaryDirectory() as scratch:
        wheel = unpack(Path(scratch), CHAR_RNN)
        drawn = in_turn([(_learn, name, arguments, wheel) for name in (OURS, KEPT)])
        print(table(drawn), flush=True)
        speeds = measure(_variants(arguments, wheel), arguments.rounds, "molecules / CPU-s")
    ratios = [speeds.ratio(bar) for bar in (*BARS, *ALIKE)]
    print(table(speeds.rows()), table(ratios), sep="\n")
    if not arguments.quick:
        settings = {
            "molecules_of_ours_a_round": arguments.molecules,
            "threads": arguments.threads,
            "cpu_seconds_of_training": arguments.seconds,
            "precision_of_ours": trainer_precision(low=True),
        }
        content = {"settings": settings, "speeds": speeds.rows(), "ratios": ratios}
        record("molecules_sample", {**content, "drawn": drawn})


def _variants(arguments: argparse.Namespace, wheel: Path) -> list[Variant]:
    ours = [
        Variant(name, _write, (name, arguments, wheel, arguments.molecules), arguments.threads)
        for name in (OURS, OURS_F32)
    ]
    theirs = [
        Variant(name, _write, (MOSES, arguments, wheel, n), arguments.threads)
        for n, name in THEIRS.items()
    ]
    return ours + theirs


def _learn(name: str, arguments: argparse.Namespace, wheel: Path) -> dict[str, Any]:
    """Train one, keep its weights and say what it draws."""
    learner = _side(name, arguments, wheel)
    seen = learner.learn(arguments.seconds)
    model = learner.generator if isinstance(learner, Ours) else learner.model
    write_weights(_weights(name, wheel), {"model": model.state_dict()})
    texts = learner.write(SHOWN, 0) if isinstance(learner, Ours) else learner.write(SHOWN, 32)
    with rdBase.BlockLogs():
        valid = [bool(text) and Chem.MolFromSmiles(text) is not None for text in texts]
    return {
        "variant": name,
        "molecules seen": seen,
        "valid": sum(valid) / len(texts),
        "mean characters": sum(map(len, texts)) / len(texts),
    }


def _write(name: str, arguments: argparse.Namespace, wheel: Path, n: int) -> Callable[[], int]:
    """A round writes n molecules, other ones each time."""
    learner, seeds = _side(name, arguments, wheel), count(1)
    state = read_weights(_weights(name, wheel), "model")
    if isinstance(learner, Ours):
        learner.generator.load_state_dict(state)
        learner.generator.eval()
        return lambda: len(learner.write(n, next(seeds)))
    learner.model.load_state_dict(state)
    return lambda: len(learner.write(n, n))


def _side(name: str, arguments: argparse.Namespace, wheel: Path) -> Any:
    return side(name, arguments, wheel, LEARN_FROM)


def _weights(name: str, folder: Path) -> Path:
    return folder / ("ours.safetensors" if name.startswith("ours") else "moses.safetensors")
