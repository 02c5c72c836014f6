"""The callback that remembers a fit: its history, its best epoch, and where to resume."""

from __future__ import annotations

import math
import signal
from pathlib import Path
from typing import Any, Literal

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint, TQDMProgressBar
from torch import Tensor

from pipelines.core.errors import UserError
from pipelines.core.processes import rank, started_together
from pipelines.core.randomness import seed_everything
from pipelines.training.fit import Fit


class Progress(Checkpoint):
    """Reseeds at an epoch's start; at its end keeps the best weights and writes one checkpoint.

    History and best weights are part of the checkpoint, and the checkpoint is replaced as a
    whole, so that a kill at any moment leaves one consistent state: the last finished epoch's.
    Being a `Checkpoint` makes Lightning call it after all other callbacks.
    """

    def __init__(self, fit: Fit, checkpoint: Path, label: str, say_epochs: bool) -> None:
        self.seed, self.epochs, self.patience = fit.seed, fit.epochs, fit.patience
        self.monitor, self.mode = fit.monitor, fit.mode
        self.checkpoint, self.label, self.say_epochs = checkpoint, label, say_epochs
        self.history: list[dict[str, float]] = []
        self.best: dict[str, Tensor] = {}
        self.best_epoch, self.best_value = -1, math.nan

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint remembers."""
        return {
            "history": self.history,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "best_value": self.best_value,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up what a checkpoint remembers."""
        self.history, self.best = state_dict["history"], state_dict["best"]
        self.best_epoch, self.best_value = state_dict["best_epoch"], state_dict["best_value"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """A fit that had stopped early when it was interrupted stays stopped.

        Raises UserError for a schedule that waits for a plateau: Lightning steps it after the
        checkpoint is written, so a resumed fit would not be the same.
        """
        if any(config.reduce_on_plateau for config in trainer.lr_scheduler_configs):
            raise UserError(f"{self.label}: ReduceLROnPlateau cannot resume; use a fixed schedule")
        trainer.should_stop = self._exhausted()
        if started_together():
            # Lightning's handler would exchange the news with processes that are gone; no news are
            # needed, since a fit goes on from its last epoch however it ended.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Make what the module draws in an epoch a function of (seed, epoch) and the process."""
        own = (rank(),) if rank() else ()
        seed_everything(self.seed, trainer.current_epoch, *own)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record, select, checkpoint."""
        metrics = {name: float(value) for name, value in sorted(trainer.callback_metrics.items())}
        value = metrics.get(self.monitor)
        if value is None:
            raise UserError(f"fit monitors {self.monitor!r}, but logs {', '.join(metrics)}")
        for name, number in metrics.items():
            if not math.isfinite(number):
                epoch = trainer.current_epoch
                raise UserError(
                    f"{self.label}: {name} became {number} in epoch {epoch}; "
                    "lower the learning rate"
                )
        self.history.append({"epoch": trainer.current_epoch, **metrics})
        better = not self.best or _better(value, self.best_value, self.mode)
        if better:
            self.best = {k: v.detach().cpu().clone() for k, v in pl_module.state_dict().items()}
            self.best_epoch, self.best_value = trainer.current_epoch, value
        if self.say_epochs and not rank():
            said = "  ".join(f"{name} {number:.4g}" for name, number in metrics.items())
            mark = "  best" if better else ""
            count = f"{trainer.current_epoch + 1}/{self.epochs}"
            print(f"{self.label}  epoch {count}  {said}{mark}", flush=True)
        trainer.should_stop = self._exhausted()
        part = self.checkpoint.with_suffix(".part")
        trainer.save_checkpoint(part)  # all processes have a part in it, process 0 writes
        if not rank():
            part.replace(self.checkpoint)

    def _exhausted(self) -> bool:
        waited = len(self.history) - 1 - self.best_epoch
        return self.patience is not None and waited >= self.patience


class MetricsBar(TQDMProgressBar):
    """A progress bar that shows every logged metric of the last epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[str, Any] = {}

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take up the epoch's metrics, once: to do so at each step would wait for a GPU."""
        metrics = sorted(trainer.callback_metrics.items())
        self.said = {name: f"{value:.4g}" for name, value in metrics}
        super().on_train_epoch_end(trainer, pl_module)

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        """Metric names to short numbers."""
        return self.said


def _better(value: float, best: float, mode: Literal["min", "max"]) -> bool:
    return value > best if mode == "max" else value < best
