"""Speed: molecules per CPU second of equal networks, ours and chemprop's, and their errors.

Both have states of 300 numbers, three rounds of messages, one hidden layer after the mean over the
atoms, no dropout, and batches of 64. A round of training is a whole run of the Trainer, batching
included, from molecules that are featurised and in memory, or from SMILES. A round of prediction
goes from SMILES to scores. Neither side standardises molecules, which are standardised already.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from screening_chemprop import Chemprop
from screening_data import EPOCHS, known, train_params
from screening_ours import Ours, ensemble_of, said_of
from screening_records import record, settings_of
from side_by_side import Bar, Variant, in_turn, measure, set_threads, table
from sklearn.metrics import roc_auc_score

from domains.screening.prepare.arrays import Target, read_molecules, read_targets
from domains.screening.train.params import TrainParams
from pipelines.training.memory import keep_memory
from pipelines.training.precision import trainer_precision

PRESETS = {"b3db": "quick", "solubility": "solubility"}
OURS, OURS_F32, CHEMPROP = "ours", "ours, float32", "chemprop"
HALF, CUIK = "chemprop, kept memory, bf16", "chemprop, compiled featuriser"
TRAINING, RAW, PREDICTION = "training", "training from SMILES", "prediction from SMILES"
BARS = {
    TRAINING: (Bar(OURS, CHEMPROP, 3.0), Bar(OURS_F32, CHEMPROP, 3.0), Bar(OURS, HALF, 1.0)),
    RAW: (Bar(OURS, CHEMPROP, 3.0),),
    PREDICTION: (Bar(OURS, CUIK, 3.0), Bar(OURS, CHEMPROP, 3.0), Bar(OURS_F32, CUIK, 3.0)),
}
VARIANTS = {
    TRAINING: (OURS, OURS_F32, CHEMPROP, HALF),
    RAW: (OURS, CHEMPROP),
    PREDICTION: (OURS, OURS_F32, CHEMPROP, CUIK),
}
SEEN = 6000  # molecules at least, in a round of training
KIND, SHARES = "scaffold", (0.8, 0.1, 0.1)


def run(arguments: argparse.Namespace) -> None:
    """Measure speeds, train each side, print and record."""
    for name in arguments.data:
        preset = PRESETS[name]
        with tempfile.TemporaryDirectory() as scratch:
            molecules = known(preset, Path(scratch, "all"), arguments.quick)
            folder = Path(scratch, "split")
            molecules.split(folder, KIND, SHARES, seed=0)
            print(f"## {name}\n", flush=True)
            speeds = [row for what in BARS for row in _speeds(what, folder, preset, arguments)]
            errors = _errors(folder, preset, arguments)
        if not arguments.quick:
            settings = _settings(preset, arguments.threads)
            content = {"settings": settings, "speeds": speeds, "errors": errors}
            record(f"speed_{name}", content, "chemprop", "cuik-molmaker-pin")


def params_of(preset: str, seed: int, quick: bool, **changes: Any) -> TrainParams:
    """Of our network that is like chemprop's."""
    like = {"hidden": 300, "depth": 3, "layers": 1, "aggregation": "mean", "join": "none"}
    same = {**like, "dropout": 0.0, "balance": 0.0, "members": 1, "batch_size": 64}
    return train_params(preset, seed, quick, **same, **changes)


def side(
    name: str, folder: Path, preset: str, epochs: int, threads: int, seed: int
) -> Ours | Chemprop:
    """A side by its name, in this process, whose precision and memory it settles."""
    set_threads(threads)
    if name.startswith(OURS):
        if name == OURS_F32:
            os.environ["SCISTAGE_PRECISION"] = "32-true"
        return Ours(folder, params_of(preset, seed, False, epochs=epochs))
    if name == HALF:
        keep_memory()
    [target] = read_targets(folder)
    return Chemprop(read_molecules(folder), target.name, target.kind, epochs, name == HALF, seed)


def _settings(preset: str, threads: int) -> dict[str, Any]:
    return {
        "threads": threads,
        "split": {"kind": KIND, "shares": list(SHARES), "seed": 0},
        "precision_of_ours": trainer_precision(low=True),
        "training_of_ours": settings_of(params_of(preset, 0, False)),
    }


def _speeds(
    what: str, folder: Path, preset: str, arguments: argparse.Namespace
) -> list[dict[str, Any]]:
    learnt = len(read_molecules(folder, ("train",)))
    epochs = EPOCHS if arguments.quick else max(EPOCHS, -(-SEEN // learnt))
    given = (what, folder, preset, epochs, arguments.threads)
    variants = [
        Variant(name, work_of, (name, *given), arguments.threads) for name in VARIANTS[what]
    ]
    rounds = 1 if arguments.quick else arguments.rounds
    speeds = measure(variants, rounds, "molecules / CPU-s")
    rows = [{"what": what, **row} for row in speeds.rows()]
    ratios = [{"what": what, **speeds.ratio(bar)} for bar in BARS[what]]
    print(table(rows), table(ratios), sep="\n", flush=True)
    return [*rows, *ratios]


def work_of(
    name: str, what: str, folder: Path, preset: str, epochs: int, threads: int
) -> Callable[[], int]:
    """A round."""
    one = side(name, folder, preset, epochs, threads, seed=0)
    if what == TRAINING:
        return one.learn
    if what == RAW:
        return one.learn_from_smiles
    smiles = read_molecules(folder)["smiles"].tolist()
    if isinstance(one, Ours):
        return lambda: len(one.predict(smiles))
    way = "cuik" if name == CUIK else "default"
    return lambda: len(one.predict(smiles, way))


def _errors(folder: Path, preset: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Of both on the same held-out molecules, with as many epochs, of which the best is kept."""
    seeds = range(1 if arguments.quick else arguments.seeds)
    [target] = read_targets(folder)
    jobs = [
        (learnt, name, folder, preset, arguments.threads, seed, arguments.quick)
        for name in (OURS, CHEMPROP)
        for seed in seeds
    ]
    rows = in_turn(jobs)
    print(table(rows), flush=True)
    means = {
        name: float(np.mean([row["error"] for row in rows if row["variant"] == name]))
        for name in (OURS, CHEMPROP)
    }
    metric = "1 - ROC-AUC" if target.kind == "class" else "RMSE"
    return {"metric": metric, "rows": rows, **means, "met": means[OURS] <= means[CHEMPROP]}


def learnt(
    name: str, folder: Path, preset: str, threads: int, seed: int, quick: bool
) -> dict[str, Any]:
    """What one network has learnt: its error on the test molecules, and its size."""
    params = params_of(preset, seed, quick)
    one = side(name, folder, preset, params.epochs, threads, seed)
    [target], table = read_targets(folder), read_molecules(folder)
    tested = (table["split"] == "test").to_numpy()
    if isinstance(one, Ours):
        with tempfile.TemporaryDirectory() as scratch:
            ensemble = ensemble_of(params, folder, Path(scratch, "train"))
            said = said_of(ensemble, folder, tested)[0]
    else:
        one.learn_well()
        said = one.predict(table.loc[tested, "smiles"].tolist())
    truth = table.loc[tested, target.name].to_numpy(float)
    return {
        "variant": name,
        "seed": seed,
        "error": _error(truth, said, target),
        "epochs": params.epochs,
        "parameters": one.parameters,
    }


def _error(truth: np.ndarray, said: np.ndarray, target: Target) -> float:
    if target.kind == "class":
        return 1 - float(roc_auc_score(truth, said))
    return float(np.sqrt(np.mean((said - truth) ** 2)))
