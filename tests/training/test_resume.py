"""Training is a pure function of its inputs: workers, kills and resumption change no bit."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SCRIPT = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    import pytorch_lightning as pl, torch
    from torch import nn
    from torch.utils.data import Dataset
    from pipelines.core.randomness import generator, seed_everything
    from pipelines.training.fit import EpochDataModule, Fit
    from pipelines.training.stage import train

    folder, schedule, kill_step = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

    class Noisy(Dataset):
        def __len__(self): return 24
        def __getitem__(self, key):
            epoch, index = key
            x = torch.from_numpy(generator(7, epoch, index).normal(size=8)).float()
            return x, x.sum()

    class Net(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(
                nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 1))
        def training_step(self, batch, step):
            if self.global_step == kill_step:
                os.kill(os.getpid(), signal.SIGKILL)
            x, y = batch
            loss = nn.functional.mse_loss(self.layers(x)[:, 0], y)
            self.log("train_loss", loss, on_step=False, on_epoch=True)
            return loss
        def validation_step(self, batch, _):
            x, y = batch
            self.log("val_loss", nn.functional.mse_loss(self.layers(x)[:, 0], y))
        def configure_optimizers(self):
            optimiser = torch.optim.AdamW(self.parameters(), lr=0.02)
            if schedule == "epoch":
                return [optimiser], [torch.optim.lr_scheduler.StepLR(optimiser, 1, 0.7)]
            rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.02, total_steps=30)
            return [optimiser], [{"scheduler": rates, "interval": "step"}]

    def fits(module_seed, names):
        for name in names:
            seed_everything(module_seed)
            yield Fit(name=name, module=Net(), data=EpochDataModule(Noisy(), Noisy(), 5, seed=3),
                      epochs=6, seed=5, monitor="val_loss", mode="min", model={}, patience=4)

    (folder / "out").mkdir(exist_ok=True)
    train(fits(1, ["first", "second"]), folder / "out", folder / "work", "test")
""")


def run(folder: Path, schedule: str, kill_step: int = -1, workers: int = 0) -> int:
    folder.mkdir(exist_ok=True)
    environment = {
        "SCISTAGE_WORKERS": str(workers),
        "SCISTAGE_THREADS": "1",
        "PATH": "/usr/bin:/bin",
    }
    command = [sys.executable, "-c", SCRIPT, str(folder), schedule, str(kill_step)]
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in process.stderr, process.stderr
    return process.returncode


def result(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "out").iterdir())}


@pytest.mark.parametrize("schedule", ["epoch", "step"])
def test_killed_and_resumed_training_equals_an_uninterrupted_one(
    tmp_path: Path, schedule: str
) -> None:
    assert run(tmp_path / "whole", schedule) == 0
    for kill_step in (2, 13, 25):
        folder = tmp_path / f"killed-{kill_step}"
        assert run(folder, schedule, kill_step) == -9
        assert not (folder / "out" / "weights.safetensors").exists()
        assert run(folder, schedule, workers=1) == 0
        assert result(folder) == result(tmp_path / "whole"), f"killed at step {kill_step}"


def test_resumption_starts_from_the_last_finished_epoch(tmp_path: Path) -> None:
    assert run(tmp_path, "step", kill_step=13) == -9
    first = (tmp_path / "work" / "first" / "last.ckpt").read_bytes()
    assert run(tmp_path, "step", kill_step=13) == -9  # no epoch finished in between
    assert (tmp_path / "work" / "first" / "last.ckpt").read_bytes() == first


@pytest.mark.parametrize("workers", [1, 2])
def test_number_of_workers_changes_nothing(tmp_path: Path, workers: int) -> None:
    assert run(tmp_path / "none", "step") == 0
    assert run(tmp_path / "some", "step", workers=workers) == 0
    assert result(tmp_path / "some") == result(tmp_path / "none")
