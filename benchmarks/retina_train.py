"""Training images per CPU second, and whether the loss falls alike.

"kept memory" is `keep_memory` of pipelines.training, which our train stage calls; "channels last"
is how the network's own class lays out its weights; bf16 is what the stage computes in where the
processor has it. A plain loop has none of them, and is shown with them too.
"""

import argparse
import os
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
from retina_sides import Ours, Plain
from side_by_side import Bar, Variant, in_turn, measure, record, set_threads, table

from domains.retina.train.params import TrainParams
from pipelines.core.params import load_params
from pipelines.training.precision import trainer_precision

OURS, OURS_F32 = "ours", "ours, float32"
PLAIN = "plain PyTorch"
LAST = f"{PLAIN}, channels last"
KEPT, HALF = f"{LAST}, kept memory", f"{LAST}, kept memory, bf16"
BARS = (Bar(OURS, PLAIN, 1.5), Bar(OURS, LAST, 1.5))
# Where precision, layout and memory are handled alike; no bar was set for it.
ALIKE = (
    Bar(OURS_F32, PLAIN, 1.0),
    Bar(OURS_F32, LAST, 1.0),
    Bar(OURS_F32, KEPT, 1.0),
    Bar(OURS, HALF, 1.0),
)
STEPS = 16  # of a round
PACKAGES = ("albumentations", "opencv-python-headless", "pytorch-lightning")
QUICK = {"rounds": 2, "epochs": 2, "seeds": 2}
QUICK_STEPS = 8  # an epoch


def run(arguments: argparse.Namespace) -> None:
    """Measure speeds, then train each, print and record."""
    if arguments.quick:
        vars(arguments).update(QUICK)
    params = load_params("retina", "train")
    assert isinstance(params, TrainParams)
    speeds = measure(_variants(arguments, params), arguments.rounds, "images / CPU-s")
    ratios = [speeds.ratio(bar) for bar in (*BARS, *ALIKE)]
    print(table(speeds.rows()), table(ratios), sep="\n", flush=True)
    names = (OURS, OURS_F32, PLAIN)
    jobs = [(_learn, n, arguments, params, s) for s in range(arguments.seeds) for n in names]
    runs = in_turn(jobs)
    print(table([_short(run) for run in runs]))
    curves = [row for name in names[:2] for row in compared(runs, name, PLAIN)]
    print(table(curves))
    if not arguments.quick:
        settings = {
            "threads": arguments.threads,
            "precision_of_ours": trainer_precision(low=True),
            "epochs": arguments.epochs,
            "params": params.model_dump(exclude={"epochs", "seed"}),
        }
        content = {"settings": settings, "speeds": speeds.rows(), "ratios": ratios}
        versions = {name: version(name) for name in PACKAGES}
        record("retina_train", {**content, "runs": runs, "same_curve": curves}, versions)


def compared(runs: list[dict[str, Any]], ours: str, theirs: str) -> list[dict[str, Any]]:
    """Mean losses of two sides, epoch by epoch and at the end, and whether they are the same.

    They are, if they differ by no more than the seeds of one side do.
    """
    curves = {
        name: np.array(
            [[*r["training loss"], r["validation loss"]] for r in runs if r["variant"] == name]
        )
        for name in (ours, theirs)
    }
    spread = np.max([np.ptp(curve, axis=0) for curve in curves.values()], axis=0)
    epochs = [f"training, epoch {k + 1}" for k in range(len(spread) - 1)]
    return [
        {
            "loss": what,
            "ours": ours,
            "mean of ours": float(o),
            "mean of theirs": float(t),
            "seeds differ by": float(s),
            "same": bool(abs(o - t) <= s),
        }
        for what, o, t, s in zip(
            [*epochs, "validation"], *(c.mean(axis=0) for c in curves.values()), spread, strict=True
        )
    ]


def side(name: str, arguments: argparse.Namespace, params: TrainParams) -> Ours | Plain:
    """A side by its name, in this process, whose precision it settles."""
    set_threads(arguments.threads)
    if not name.startswith("ours"):
        return Plain(arguments.prepared, params, half="bf16" in name, last="last" in name)
    if name == OURS_F32:
        os.environ["SCISTAGE_PRECISION"] = "32-true"
    return Ours(arguments.prepared, params)


def _variants(arguments: argparse.Namespace, params: TrainParams) -> list[Variant]:
    once = params.model_copy(update={"epochs": 1})
    return [
        Variant(name, _steps, (name, arguments, once), arguments.threads, "kept" in name)
        for name in (OURS, OURS_F32, PLAIN, LAST, KEPT, HALF)
    ]


def _steps(name: str, arguments: argparse.Namespace, params: TrainParams) -> Callable[[], int]:
    learner = side(name, arguments, params)
    return lambda: learner.learn(STEPS).images


def _learn(
    name: str, arguments: argparse.Namespace, params: TrainParams, seed: int
) -> dict[str, Any]:
    params = params.model_copy(update={"epochs": arguments.epochs, "seed": seed})
    learner = side(name, arguments, params)
    start = time.process_time()
    course = learner.learn(QUICK_STEPS if arguments.quick else None)
    seconds = time.process_time() - start
    by_epoch = np.split(np.array(course.losses), arguments.epochs)
    return {
        "variant": name,
        "seed": seed,
        "steps": len(course.losses),
        "images / CPU-s": course.images / seconds,
        "training loss": [float(part.mean()) for part in by_epoch],
        "validation loss": learner.validation_loss(),
    }


def _short(run: dict[str, Any]) -> dict[str, Any]:
    return {**run, "training loss": " ".join(f"{loss:.3f}" for loss in run["training loss"])}
