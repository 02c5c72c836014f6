"""From a prepare folder and parameters to the members of the ensemble."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipelines.core.randomness import generator, seed_everything
from pipelines.training.fit import EpochDataModule, Fit
from pipelines.training.sharing import owner

from ..prepare.arrays import Target, read_graphs, read_molecules, read_targets
from ..prepare.features import FEATURES
from .dataset import MoleculeBatches, as_it_is
from .joining import read_joined
from .losses import class_weights
from .module import Screener
from .network import BondNetwork
from .params import TrainParams
from .states import find_states

CHECKED = 512  # molecules of a validation batch


def fits(params: TrainParams, folder: Path) -> Iterator[Fit]:
    """One for each member; members differ in weights, in the order of molecules and in dropout."""
    targets = read_targets(folder)
    learnt, checked = _data(folder, params, targets)
    truth = torch.from_numpy(learnt.truth)
    classes = torch.tensor([target.kind == "class" for target in targets])
    about = _about(params, targets, learnt)
    for number in range(params.members):
        seed = int(generator(params.seed, number).integers(2**31))
        seed_everything(seed)
        network = BondNetwork(**about)
        network.standardise_by(truth, torch.from_numpy(learnt.joined))
        steps = params.epochs * -(-len(learnt) // params.batch_size)
        weights = class_weights(truth, classes, params.balance)
        yield Fit(
            name=f"member_{number}",
            module=Screener(network, params, weights, steps),
            data=EpochDataModule(
                learnt, checked, params.batch_size, seed, CHECKED, collate=as_it_is
            ),
            epochs=params.epochs,
            seed=seed,
            monitor="val_loss",
            mode="min",
            gradient_clip=params.gradient_clip,
            model=about,
            low_precision=True,
            owner=owner(number, params.members),
        )


def _about(params: TrainParams, targets: list[Target], learnt: MoleculeBatches) -> dict[str, Any]:
    """What `BondNetwork` is made from, as `predict` will make it again."""
    return {
        "targets": [vars(target) for target in targets],
        "atom": list(FEATURES["atoms"].values()),
        "bond": list(FEATURES["bonds"].values()),
        "hidden": params.hidden,
        "depth": params.depth,
        "layers": params.layers,
        "dropout": params.dropout,
        "aggregation": params.aggregation,
        "join": params.join,
        "joined": learnt.joined.shape[1],
    }


def _data(
    folder: Path, params: TrainParams, targets: list[Target]
) -> tuple[MoleculeBatches, MoleculeBatches]:
    """The training and the validation molecules."""
    table = read_molecules(folder)
    truth = table[[target.name for target in targets]].to_numpy(np.float32)
    graphs, joined = read_graphs(folder, "graphs"), read_joined(folder, "molecules", params.join)

    def batches(name: str) -> MoleculeBatches:
        rows = np.flatnonzero(table["split"] == name)
        states = find_states(graphs.take(rows), params.depth)
        return MoleculeBatches(states, joined[rows], truth[rows])

    return batches("train"), batches("validation")
