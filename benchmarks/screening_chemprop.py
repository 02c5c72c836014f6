"""chemprop: its network through its own Python interface, and its command line as it comes."""

from __future__ import annotations

import copy
import logging
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from chemprop.data import (
    CuikmolmakerDataset,
    LazyMoleculeDatapoint,
    MoleculeDatapoint,
    MoleculeDataset,
    build_dataloader,
)
from chemprop.models import MPNN
from chemprop.nn import (
    BinaryClassificationFFN,
    BondMessagePassing,
    MeanAggregation,
    RegressionFFN,
    UnscaleTransform,
)
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from numpy.typing import NDArray

from pipelines.core.artifacts import read_csv, write_csv

_SPLITS = {"train": "train", "validation": "val", "test": "test"}  # as chemprop calls them
_SETTINGS = ("--accelerator", "cpu", "--num-workers", "0")  # the machine's, as ours
_MAIN = "from chemprop.cli.main import main; main()"


def by_command_line(
    table: pd.DataFrame,
    name: str,
    out: Path,
    seed: int,
    epochs: int | None = None,
    options: Sequence[str] = (),
) -> NDArray[np.float64]:
    """(n,) values of the test molecules by `chemprop train`, told the data, the split and the seed.

    table: smiles, split and the column `name`; epochs: other than its default; options: further.
    """
    out.mkdir(parents=True)
    given = table[["smiles", name]].assign(split=table["split"].map(_SPLITS))
    write_csv(out / "molecules.csv", given)
    seeds = ("--data-seed", str(seed), "--pytorch-seed", str(seed))
    data = ("--data-path", out / "molecules.csv", "--splits-column", "split")
    columns = ("--smiles-columns", "smiles", "--target-columns", name)
    fewer = ("--epochs", str(epochs)) if epochs else ()
    command = [sys.executable, "-c", _MAIN, "train", "--output-dir", out / "run"]
    with (out / "log").open("w", encoding="utf-8") as log:
        whole = [*command, *data, *columns, *seeds, *_SETTINGS, *fewer, *options]
        found = subprocess.run(whole, stdout=log, stderr=subprocess.STDOUT)
    if found.returncode:
        raise SystemExit(f"chemprop failed:\n{(out / 'log').read_text()[-2000:]}")
    said = read_csv(out / "run" / "model_0" / "test_predictions.csv")
    if said["smiles"].tolist() != given.loc[given["split"] == "test", "smiles"].tolist():
        raise SystemExit("chemprop: its test molecules are others than ours")
    return said[name].to_numpy(float)


class Chemprop:
    """One network of chemprop's default size, with the mean over a molecule's atoms.

    Learning rate, schedule and optimiser are its defaults. molecules: with columns smiles, split
    and `name`, of which those of train are featurised once and kept, its fastest way to train.
    """

    def __init__(
        self, table: pd.DataFrame, name: str, kind: str, epochs: int, half: bool, seed: int
    ) -> None:
        for logger in (
            "lightning.pytorch",
            "pytorch_lightning",
        ):  # which share one of their loggers
            logging.getLogger(logger).setLevel(logging.ERROR)
        self.kind, self.epochs, self.half, self.seed = kind, epochs, half, seed
        parts = {split: table[table["split"] == split] for split in ("train", "validation")}
        self.given = {s: (p["smiles"].tolist(), p[name].to_numpy()) for s, p in parts.items()}
        self.learnt = self._dataset("train")
        self.model = self._network(self.learnt)

    @property
    def parameters(self) -> int:
        """How many numbers are learnt."""
        return sum(p.numel() for p in self.model.parameters())

    def learn(self) -> int:
        """All epochs from what is in memory; molecules seen. Nothing is validated or written."""
        return self._learn(self.learnt)

    def learn_from_smiles(self) -> int:
        """All epochs and what is computed of the molecules before."""
        return self._learn(self._dataset("train"))

    def learn_well(self) -> None:
        """All epochs; the weights of that with the least loss on validation are kept."""
        checked = self._dataset("validation")
        if self.kind == "value":
            checked.normalize_targets(self.learnt.normalize_targets())
        best = _Best()
        loader = build_dataloader(checked, shuffle=False)
        self._trainer(best).fit(self.model, build_dataloader(self.learnt, seed=self.seed), loader)
        self.model.load_state_dict(best.state)

    def predict(
        self, smiles: Sequence[str], way: Literal["default", "cuik"] = "default"
    ) -> NDArray[np.float64]:
        """(n,) from SMILES to scores, featurised by its default or by compiled code, in batches."""
        data: Any
        if way == "cuik":
            data = CuikmolmakerDataset([LazyMoleculeDatapoint(text) for text in smiles])
        else:
            data = MoleculeDataset([MoleculeDatapoint.from_smi(text) for text in smiles])
        said = self._trainer(_Best()).predict(self.model, build_dataloader(data, shuffle=False))
        return torch.cat(said)[:, 0].double().numpy()

    def _learn(self, learnt: MoleculeDataset) -> int:
        loader = build_dataloader(learnt, seed=self.seed)
        trainer = self._trainer(_Best())
        trainer.limit_val_batches = 0
        trainer.fit(self._network(learnt), loader)
        return self.epochs * len(learnt)

    def _trainer(self, callback: Checkpoint) -> Trainer:
        # Advice on workers, of which neither side has any.
        warnings.filterwarnings("ignore", module="lightning.pytorch")
        return Trainer(
            accelerator="cpu",
            precision="bf16-mixed" if self.half else "32-true",
            max_epochs=self.epochs,
            num_sanity_val_steps=0,
            callbacks=[callback],
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )

    def _dataset(self, split: str) -> MoleculeDataset:
        smiles, truth = self.given[split]
        points = [
            MoleculeDatapoint.from_smi(text, np.array([y]))
            for text, y in zip(smiles, truth, strict=True)
        ]
        data = MoleculeDataset(points)
        data.cache = True
        return data

    def _network(self, learnt: MoleculeDataset) -> MPNN:
        torch.manual_seed(self.seed)
        head: Any
        if self.kind == "value":
            scale = UnscaleTransform.from_standard_scaler(learnt.normalize_targets())
            head = RegressionFFN(output_transform=scale)
        else:
            head = BinaryClassificationFFN()
        return MPNN(BondMessagePassing(), MeanAggregation(), head)


class _Best(Checkpoint):
    """Keeps the best weights; being a `Checkpoint` it keeps Lightning from writing its own."""

    def __init__(self) -> None:
        self.loss, self.state = float("inf"), dict[str, Any]()

    def on_validation_end(self, trainer: Trainer, module: LightningModule) -> None:
        """Look at the epoch's loss."""
        loss = float(trainer.callback_metrics["val_loss"])
        if loss < self.loss:
            self.loss, self.state = loss, copy.deepcopy(module.state_dict())
