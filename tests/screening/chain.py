"""Made-up stages before evaluate and explain: molecules with a rule, a tiny ensemble, answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rdkit import Chem

from domains.screening.predict import predict
from domains.screening.predict.calibrate import Calibration, Platt, write_calibration
from domains.screening.predict.params import PredictParams
from domains.screening.prepare.arrays import Target, read_molecules, read_targets
from domains.screening.prepare.writing import write_data
from domains.screening.train import train
from domains.screening.train.params import TrainParams
from pipelines.core.artifacts import write_csv, write_json
from pipelines.core.randomness import generator
from pipelines.core.runner import Inputs
from pipelines.training.stage import train as run_fits

CORES = ("c1ccc({})cc1", "c1cnc({})nc1", "c1cc({})co1", "C1CCC({})CC1", "C1CN({})CCO1", "C1CC1C{}")
CORES += ("c1ccc2cc({})ccc2c1", "c1cc({})sc1", "C1CCN(C{})CC1", "c1ccc(OC{})cc1")
TAILS = ("C", "CO", "CCO", "C(=O)OC", "CCC", "CF", "CSC")
LINKS = ("", "C")
ACTIVE = Target("active", "class", positive="active")
LOGS = Target("logs", "value", unit="log mol/L", better="low")
TINY: dict[str, Any] = {
    "hidden": 32,
    "depth": 2,
    "layers": 1,
    "dropout": 0.0,
    "aggregation": "mean",
    "join": "none",
    "balance": 0.5,
    "members": 2,
    "epochs": 12,
    "batch_size": 32,
    "learning_rate": 0.01,
    "weight_decay": 0.0,
    "gradient_clip": 5.0,
    "seed": 0,
}


def inputs_in(folder: Path) -> Inputs:
    names = ("prepare", "train", "predict", "evaluate", "explain")
    return Inputs(**{name: folder / name for name in names})


def molecules() -> list[str]:
    """280 molecules, every second of which has a nitro group where the other has a methyl."""
    made = [
        core.format(f"{link}C({branch}){tail}")
        for core in CORES
        for link in LINKS
        for tail in TAILS
        for branch in ("C", "[N+](=O)[O-]")
    ]
    return [Chem.CanonSmiles(text) for text in made]


def has_nitro(smiles: Sequence[str]) -> np.ndarray:
    return np.array(["[N+]" in text for text in smiles], dtype=float)


def prepared(
    folder: Path, smiles: Sequence[str], labels: dict[Target, np.ndarray], library: bool = True
) -> Inputs:
    """Write a prepare folder: half of the molecules to learn from, each a group of its own."""
    inputs = inputs_in(folder)
    inputs.prepare.mkdir(parents=True)
    order = generator(7).permutation(len(smiles))
    split = np.array(["train", "train", "validation", "test"])[order % 4]
    table = pd.DataFrame({"split": split, "smiles": smiles, "scaffold": "", "group": smiles})
    table["count"] = 1
    for target, truth in labels.items():
        table[target.name] = truth
    ranked = ["CCO", "Brc1ccccc1", "O=[N+]([O-])CCCBr"] if library else []
    names = ["ETHANOL", "", "third"] if library else []
    rows = {"name": names, "given": ranked, "smiles": ranked, "reason": "", "learnt": False}
    shown = pd.DataFrame(rows, dtype=object)
    write_data(inputs.prepare, table, list(labels), shown)
    write_json(inputs.prepare / "card.json", {"title": "Made-up"})
    return inputs


def answered(inputs: Inputs, noise: float) -> None:
    """Predictions without a network: the truth and noise; calibration.json."""
    table = read_molecules(inputs.prepare, ("validation", "test"))
    rng = generator(3)
    said = table[["split", "smiles", "group"]].copy()
    for target in read_targets(inputs.prepare):
        truth = table[target.name].to_numpy(float)
        score = np.nan_to_num(truth) + rng.normal(0, noise, len(truth))
        if target.kind == "class":
            score = 1 / (1 + np.exp(-4 * (score - 0.5)))
        half = 1.645 * noise + 1e-6
        parts = {"": truth, "_score": score, "_low": score - half, "_high": score + half}
        said = said.assign(**{target.name + part: column for part, column in parts.items()})
    near = rng.uniform(0.1, 1, len(said))
    inputs.predict.mkdir()
    write_csv(inputs.predict / "predictions.csv", said.assign(similarity=near, inside=near > 0.2))
    write_calibration(inputs.predict, Calibration(0.9, 0.2, {"active": Platt(1.0, 0.0)}))


def trained(inputs: Inputs, **changes: Any) -> Inputs:
    """Learn and predict for real, in seconds."""
    inputs.train.mkdir()
    params = TrainParams(**{**TINY, **changes})
    run_fits(train(params, inputs), inputs.train, inputs.train / "work", "test")
    inputs.predict.mkdir()
    rule = PredictParams(calibration="platt", coverage=0.9, outside=0.05, dissimilar=0.9)
    predict(rule, inputs, inputs.predict)
    return inputs
