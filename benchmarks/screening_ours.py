"""Our ensemble, trained as the train stage does, and the forest that it is compared with."""

from __future__ import annotations

import copy
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pytorch_lightning.callbacks import Checkpoint
from screening_data import Known, train_params
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from domains.screening.prepare.arrays import Target, read_counts, read_graphs, read_molecules
from domains.screening.prepare.featurise import featurise
from domains.screening.train import train
from domains.screening.train.dataset import MoleculeBatches, as_it_is
from domains.screening.train.fits import fits
from domains.screening.train.joining import joined_of, read_joined
from domains.screening.train.params import TrainParams
from domains.screening.train.reading import Ensemble, read_ensemble
from domains.screening.train.states import find_states
from pipelines.core.environment import environment
from pipelines.core.randomness import generator
from pipelines.core.runner import Inputs
from pipelines.training.fit import EpochDataModule
from pipelines.training.memory import keep_memory
from pipelines.training.reproducible import prepare_torch
from pipelines.training.stage import make_trainer
from pipelines.training.stage import train as run_fits

TREES = 500

Numbers = NDArray[np.float64]


def ensemble_of(params: TrainParams, folder: Path, out: Path) -> Ensemble:
    """Train on a folder of prepare, as the stage does; what it writes lies in `out`."""
    out.mkdir(parents=True)
    inputs = Inputs(folder, out, out, out, out)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        run_fits(train(params, inputs), out, out / "work", "")
    return read_ensemble(out)


def members_of(
    molecules: Known,
    preset: str,
    share: float,
    seed: int,
    quick: bool,
    tested: NDArray[np.bool_] | None = None,
    kind: str = "scaffold",
) -> Iterator[Ensemble]:
    """A preset's members one by one, so that all but the tested molecules are learnt from by most.

    Of these each member has a share of its own, in groups of a kind, that chooses its epoch.
    """
    for number in range(train_params(preset, seed, quick).members):
        key = member_key(seed, number)
        folder = molecules.folder.parent / f"{seed}_{number}"
        molecules.split(folder, kind, (1 - share, share), key, tested)
        params = train_params(preset, key, quick, members=1)
        yield ensemble_of(params, folder, folder / "train")


def member_key(seed: int, number: int) -> int:
    """Seed of a member's own split and training."""
    return int(generator(seed, number).integers(2**31))


def said_of(ensemble: Ensemble, folder: Path, rows: NDArray[np.bool_]) -> Numbers:
    """(members, n): logits or values of n of the folder's molecules."""
    which = np.flatnonzero(rows)
    joined = read_joined(folder, "molecules", ensemble.join)[which]
    return ensemble.predict(read_graphs(folder, "graphs").take(which), joined)[:, :, 0]


def forest_of(folder: Path, table: pd.DataFrame, target: Target, seed: int) -> Numbers:
    """(n,) what a random forest says of the folder's test molecules, see `forest`."""
    counts = read_counts(folder, "molecules")
    learnt, asked = (table["split"] == "train").to_numpy(), (table["split"] == "test").to_numpy()
    return forest(counts[learnt], table.loc[learnt, target.name], counts[asked], target.kind, seed)


def forest(
    learnt: NDArray[np.uint8], truth: pd.Series, asked: NDArray[np.uint8], kind: str, seed: int
) -> Numbers:
    """(n,) probabilities or values by the baseline of the evaluate stage: Morgan counts, 500 trees.

    learnt: (m, 2048) counts of molecules with their (m,) truth; asked: (n, 2048).
    """
    options: dict[str, Any] = {"n_jobs": environment().threads, "random_state": seed}
    used = learnt.any(axis=0)
    x, labels = learnt[:, used].astype(np.float32), truth.to_numpy(float)
    if kind == "value":
        values = RandomForestRegressor(TREES, max_features=1 / 3, **options).fit(x, labels)
        return values.predict(asked[:, used].astype(np.float32))
    classes = RandomForestClassifier(TREES, class_weight="balanced", **options).fit(x, labels)
    return classes.predict_proba(asked[:, used].astype(np.float32))[:, 1]


class Ours:
    """One network, trained again and again by the stage's Fit in the stage's Trainer.

    Neither validates nor writes anything meanwhile. Threads and precision are as SCISTAGE_* say.
    """

    def __init__(self, folder: Path, params: TrainParams) -> None:
        prepare_torch()
        keep_memory()
        logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
        self.fit, self.depth = next(fits(params, folder)), params.depth
        self.smiles = read_molecules(folder, ("train",))["smiles"].tolist()

    @property
    def parameters(self) -> int:
        """How many numbers are learnt."""
        return sum(p.numel() for p in self.fit.module.parameters())

    def learn(self) -> int:
        """All epochs from what is in memory; molecules seen."""
        return self._learn(self.fit.data.train)

    def learn_from_smiles(self) -> int:
        """All epochs and what is computed of the molecules before."""
        known: Any = self.fit.data.train
        states = find_states(featurise(self.smiles), self.depth)
        return self._learn(MoleculeBatches(states, known.joined, known.truth))

    def _learn(self, learnt: Any) -> int:
        given = self.fit.data
        data = EpochDataModule(learnt, given.val, given.batch_size, self.fit.seed, collate=as_it_is)
        fit = replace(self.fit, module=copy.deepcopy(self.fit.module), data=data)
        trainer = make_trainer(fit, [Checkpoint()])  # which keeps Lightning from writing its own
        trainer.limit_val_batches = 0
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="pytorch_lightning")
            trainer.fit(fit.module, datamodule=data)
        return fit.epochs * len(learnt)

    def predict(self, smiles: list[str]) -> Numbers:
        """(n,) from SMILES to scores."""
        network: Any = self.fit.module.network
        ensemble = Ensemble([network.eval()])
        return ensemble.predict(featurise(smiles), joined_of(smiles, ensemble.join))[0, :, 0]
