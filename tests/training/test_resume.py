"""Training is a pure function of its inputs: workers, kills and resumption change no bit."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

SCRIPT = textwrap.dedent("""
    import json, os, shutil, signal, sys
    from pathlib import Path
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    import pytorch_lightning as pl, torch
    from torch import nn
    from torch.utils.data import Dataset
    from pipelines.core.randomness import generator, seed_everything
    from pipelines.training.fit import EpochDataModule, Fit
    from pipelines.training.stage import train

    schedule, kill_step = sys.argv[1], -1

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

    def one_run(folder):
        (folder / "out").mkdir(parents=True, exist_ok=True)
        train(fits(1, ["first", "second"]), folder / "out", folder / "work", "test")

    # A process a run, forked before torch has done anything: its import is paid for once.
    for number, (folder, kill_step, workers) in enumerate(json.loads(sys.argv[2])):
        child = os.fork()
        if child == 0:
            os.environ["SCISTAGE_WORKERS"] = str(workers)
            one_run(Path(folder))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=sys.stderr)
        for checkpoint in Path(folder).glob("work/*/first/last.ckpt"):
            shutil.copy(checkpoint, Path(folder, f"{number}.ckpt"))
""")


def run(schedule: str, *runs: tuple[Path, int, int]) -> list[int]:
    """Exit codes of trainings, one after the other: folder, step to be killed at, workers."""
    environment = {"SCISTAGE_THREADS": "1", "PATH": "/usr/bin:/bin"}
    arguments = [schedule, json.dumps([[str(folder), kill, n] for folder, kill, n in runs])]
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in process.stderr, process.stderr
    return [int(line) for line in process.stderr.splitlines() if line.lstrip("-").isdigit()]


def result(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "out").iterdir())}


def kill_and_resume(folder: Path, schedule: str, *further: tuple[Path, int, int]) -> None:
    """One process for all runs: its imports cost most. Further runs come first."""
    whole = folder / "whole"
    killed = {step: folder / f"killed-{step}" for step in (2, 13, 25)}
    codes = run(
        schedule,
        *further,
        (whole, -1, 0),
        *((path, step, 0) for step, path in killed.items()),
        *((path, -1, 1) for path in killed.values()),
    )
    assert codes[-7:] == [0, -9, -9, -9, 0, 0, 0]
    for path in killed.values():
        assert result(path) == result(whole), path.name


def test_kills_change_no_bit_with_rates_by_epoch(tmp_path: Path) -> None:
    kill_and_resume(tmp_path, "epoch")


def test_neither_kills_nor_workers_change_a_bit_with_rates_by_step(tmp_path: Path) -> None:
    two, twice = tmp_path / "two", tmp_path / "twice"
    kill_and_resume(tmp_path, "step", (twice, 13, 0), (twice, 13, 0), (two, -1, 2))
    assert result(two) == result(tmp_path / "whole"), "two loader workers"
    first, second = (twice / f"{number}.ckpt" for number in (0, 1))
    assert first.read_bytes() == second.read_bytes(), "no epoch ended between the two kills"
