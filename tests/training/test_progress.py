"""What is remembered of a fit's epochs, and what each of them draws."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pytorch_lightning.callbacks import TQDMProgressBar

from pipelines.training.progress import MetricsBar, Progress


def progress_of(folder: Path, mode: str = "min") -> Progress:
    fit: Any = SimpleNamespace(seed=0, epochs=9, patience=2, monitor="val", mode=mode)
    return Progress(fit, folder / "last.ckpt", "spectra", say_epochs=False)


@pytest.mark.parametrize("mode", ["min", "max"])
def test_the_best_epoch_is_kept_and_patience_counts_from_it(tmp_path: Path, mode: str) -> None:
    progress, module, stopped = progress_of(tmp_path, mode), torch.nn.Linear(1, 1), []
    for epoch, value in enumerate([3.0, 1.0, 2.0, 1.0]):
        torch.nn.init.constant_(module.weight, epoch)
        metrics = {"val": torch.tensor(value if mode == "min" else -value)}
        trainer: Any = SimpleNamespace(
            current_epoch=epoch, callback_metrics=metrics, save_checkpoint=Path.touch
        )
        progress.on_train_epoch_end(trainer, module)
        stopped.append(trainer.should_stop)
    assert (progress.best_epoch, progress.best["weight"].item()) == (1, 1)
    assert stopped == [False, False, False, True]


def test_each_epoch_draws_anew_and_again_the_same(tmp_path: Path) -> None:
    drawn = []
    for epoch in (0, 1, 0):
        trainer: Any = SimpleNamespace(current_epoch=epoch)
        progress_of(tmp_path).on_train_epoch_start(trainer, torch.nn.Linear(1, 1))
        drawn.append(torch.rand(3).tolist())
    assert drawn[0] == drawn[2] != drawn[1]


def test_the_bar_shows_the_epoch_that_ended_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TQDMProgressBar, "on_train_epoch_end", lambda *_: None)
    bar, module = MetricsBar(), torch.nn.Linear(1, 1)
    trainer: Any = SimpleNamespace(callback_metrics={"val": torch.tensor(0.123456)})
    assert bar.get_metrics(trainer, module) == {}
    bar.on_train_epoch_end(trainer, module)
    trainer.callback_metrics = {"val": torch.tensor(9.0), "train_loss": torch.tensor(1.0)}
    assert bar.get_metrics(trainer, module) == {"val": "0.1235"}
